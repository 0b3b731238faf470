# Alarms of what should never happen: somebody outside the system touches or opens payments, a file with malware lands, or what people did in
# the console is changed afterwards. One event is enough.

locals {
  access_alarms = merge(
    {
      for alarm, event in var.audit_metric_names == null ? {} : {
        payments-touched        = { metric = var.audit_metric_names.touched, symptom = "Somebody outside the system read or wrote payments." }
        payments-touched-opened = { metric = var.audit_metric_names.opened, symptom = "Somebody changed what could open payments to others, or copied payments." }
        } : alarm => {
        kind           = "payments-touched"
        severity       = "page"
        symptom        = event.symptom
        threshold      = 0
        period_seconds = 300
        periods        = 1
        datapoints     = 1
        expression     = null
        metrics        = { events = { namespace = var.metrics_namespace, name = event.metric, stat = "Sum", dimensions = {} } }
      }
    },
    {
      for rule in var.threat_rule_name[*] : "malware-found" => {
        kind           = "malware-found"
        severity       = "ticket"
        symptom        = "A landed file holds malware."
        threshold      = 0
        period_seconds = 300
        periods        = 1
        datapoints     = 1
        expression     = null
        metrics        = { found = { namespace = "AWS/Events", name = "TriggeredRules", stat = "Sum", dimensions = { RuleName = rule } } }
      }
    },
    {
      for function, trigger in local.schedules : "audit-heads-gone" => {
        kind           = "audit-heads-gone"
        severity       = "page"
        symptom        = "Audit events of the console were changed or dropped after their hash was kept, or somebody else writes to the bucket of audit heads."
        threshold      = 0
        period_seconds = 300
        periods        = 1
        datapoints     = 1
        expression     = "gone + unreadable"
        metrics = {
          gone       = { namespace = var.metrics_namespace, name = "AuditHeadsGone", stat = "Sum", dimensions = { service = function } }
          unreadable = { namespace = var.metrics_namespace, name = "AuditObjectsUnreadable", stat = "Sum", dimensions = { service = function } }
        }
      } if function == "audit_keeper"
    },
    {
      # A run may fall into the hour before or after its own; two hours of three without heads are no coincidence.
      for function, trigger in local.schedules : "audit-heads-late" => {
        kind           = "audit-heads-late"
        severity       = "ticket"
        symptom        = "In two of three hours no heads of the console's audit chains were kept: a dropped tail of these hours would show nowhere."
        threshold      = 0
        period_seconds = 60 * trigger.every_minutes
        periods        = 3
        datapoints     = 2
        expression     = "IF(FILL(kept, 0) > 0, 0, 1)"
        missing        = "breaching"
        metrics        = { kept = { namespace = var.metrics_namespace, name = "AuditHeadsKept", stat = "Sum", dimensions = { service = function } } }
      } if function == "audit_keeper"
    },
    {
      for function, trigger in local.schedules : "audit-heads-late-before" => {
        kind           = "audit-heads-late"
        severity       = "ticket"
        symptom        = "When heads of the console's audit chains were kept again, the last ones were more than two hours old: runs had failed, or somebody has deleted objects."
        threshold      = 2
        period_seconds = 300
        periods        = 1
        datapoints     = 1
        expression     = null
        metrics        = { age = { namespace = var.metrics_namespace, name = "AuditHeadsAgeHours", stat = "Maximum", dimensions = { service = function } } }
      } if function == "audit_keeper"
    },
  )
}
