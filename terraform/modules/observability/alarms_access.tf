# Alarms of what should never happen to payments: somebody outside the system touches or opens them, or a file with malware lands. One
# event is enough.

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
  )
}
