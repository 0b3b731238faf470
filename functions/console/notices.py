"""Pages that say one thing: what happened, what it means, what to do next."""

from __future__ import annotations

from typing import Final

from common.ruleset_desk import DeskRefusal
from console.pages import Notice
from console.verdicts import Unreadable
from contract.case_work import Refusal
from contract.saved_filter import MAX_FILTERS, MAX_NAME_CHARACTERS

NO_RIGHT: Final = Notice(
    403,
    "You may not see this page",
    "Your groups have no right to it. A lead or an admin can change your groups.",
)
FOREIGN_FORM: Final = Notice(
    403,
    "This form is not valid any more",
    "Nothing was changed. It comes from an earlier session or from another site. Open the page again, and repeat it.",
)
SIGNED_OUT_MEANWHILE: Final = Notice(
    401, "You are signed out", "Nothing was changed. Sign in, open the page again, and repeat it."
)
NO_PAGE: Final = Notice(
    404, "There is no such page", "The link may be wrong, or what it leads to is not kept any more."
)
BAD_METHOD: Final = Notice(405, "This page cannot be used so", "Open it by a link of the console.")
TOO_LARGE: Final = Notice(
    413, "This form is too large", "Nothing was changed. Shorten the text, and repeat it."
)
UNAVAILABLE: Final = Notice(
    503,
    "The console is unavailable",
    "Nothing was changed. A service that it needs did not answer, or what you asked for could not be recorded. Try again in a minute.",
)
FAULT: Final = Notice(
    500,
    "The console has an error",
    "It is logged. Try again; if it happens again, report the time and the page.",
)
SIGN_IN_REFUSED: Final = Notice(
    401, "You are not signed in", "The sign-in was not finished, took too long, or was refused. Try again."
)
SIGNED_OUT: Final = Notice(
    200,
    "You are signed out of the console",
    "Where you sign in, you are signed out in a moment, too. If nothing happens, press the button.",
)
STILL_SIGNED_IN: Final = Notice(
    401,
    "You are not signed in",
    "Where you sign in, somebody was still signed in, and no password was asked for. Sign out there, then sign in again.",
)
NO_GROUP: Final = Notice(
    403,
    "You have no group of the console",
    "You are known, and in no group that may use the console. An admin can add you to one.",
)

REFUSED_STEPS: Final = {
    Refusal.TAKEN: Notice(
        409,
        "Somebody else works on this case",
        "Somebody was faster. Nothing was changed; take the next case.",
    ),
    Refusal.NOT_CLAIMED: Notice(
        409,
        "You do not work on this case",
        "Nothing was changed. You gave it back, or did nothing with it for 15 minutes and somebody had it since.",
    ),
    Refusal.CLOSED: Notice(
        409, "This case is closed", "Nothing was changed. All of its payments are decided."
    ),
    Refusal.TOO_LATE: Notice(
        409,
        "This cannot be undone any more",
        "Nothing was changed. A verdict can be undone for 10 seconds. Judge the payments again: the newer verdict counts.",
    ),
    Refusal.MOVED: Notice(
        409,
        "A payment is not in this case any more",
        "Nothing was changed. Open the case again: it shows what is in it now.",
    ),
    Refusal.OTHER_DECISION: Notice(
        409,
        "This form was sent before, and said something else",
        "Nothing was changed by this one. Open the case again: it shows what was decided.",
    ),
    Refusal.UNDONE: Notice(
        409,
        "What this form said was undone",
        "Nothing was changed. Open the case again, and judge its payments by the form that is there now.",
    ),
    Refusal.NOT_DUE: Notice(
        409,
        "No second look is due",
        "Nothing was changed. Somebody has looked at it, or nothing was released.",
    ),
    Refusal.SAME_PERSON: Notice(
        409,
        "A second look is somebody else's",
        "Nothing was changed. You have decided on this case, or on an earlier one of the user whose money is looked at with it.",
    ),
    Refusal.CHANGED: Notice(
        409,
        "More was called legitimate meanwhile",
        "Nothing was changed. Open the case again, and look at what was decided since.",
    ),
    Refusal.SUPERSEDED: Notice(
        409, "The user has a newer case", "Nothing was changed. Only the newest case of a user can be open."
    ),
    Refusal.GONE: NO_PAGE,
}
"""For steps that cannot be made with a case."""
NO_CASE_YET: Final = Notice(
    404,
    "This alert has no case yet",
    "A case opens a few seconds after its alert. If this stays so, the alert is not kept any more.",
)
NOTHING_CHOSEN: Final = Notice(
    422,
    "No payment was chosen",
    "Nothing was changed. Choose at least one payment, and a verdict.",
)
PAYMENTS_GONE: Final = Notice(
    409,
    "A payment is not there any more",
    "Nothing was changed. At least one payment that you ticked is in another case by now, or is not kept any more. Open the case again, and judge what it shows.",
)
UNREADABLE_VERDICTS: Final = {
    Unreadable.UNKNOWN: NOTHING_CHOSEN,
    Unreadable.FRAUD_TYPE_OF_LEGITIMATE: Notice(
        422,
        "A legitimate payment has no kind of fraud",
        'Nothing was changed. Go back: set the kind of fraud to "not known", or press Fraud or Probably fraud.',
    ),
}
"""For forms that say no verdict."""
NOBODY: Final = Notice(
    422,
    "Nobody was chosen",
    "Nothing was changed. Choose somebody who may work on cases and was signed in lately.",
)
NOTHING_TO_FIND: Final = Notice(
    422,
    "Nothing was searched for",
    "Say what to search by, and the whole value: a part of one finds nothing.",
)
NO_FILTER: Final = Notice(
    404, "There is no such filter", "Nothing was changed. It was deleted, or it is somebody else's."
)
BAD_FILTER_NAME: Final = Notice(
    422,
    "This cannot be a filter's name",
    f"Nothing was changed. A name has letters, spaces, at most four digits, and {MAX_NAME_CHARACTERS} characters in all: no id, card or address.",
)
SAME_FILTER_NAME: Final = Notice(
    422, "You have a filter of this name", "Nothing was changed. Choose another name."
)
TOO_MANY_FILTERS: Final = Notice(
    422,
    f"You have {MAX_FILTERS} filters",
    "Nothing was changed. Delete one that you do not use any more.",
)
NO_REASON: Final = Notice(
    422,
    "A reason is needed",
    "Nothing was changed, and nothing shown. Go back, and write the reason: it is recorded.",
)
NO_NEXT_CASE: Final = Notice(
    200,
    "No case waits for you",
    "Every open case is somebody's, or you have skipped it. New ones come by themselves.",
)

NO_RULESET: Final = Notice(
    404,
    "No ruleset is known here yet",
    "The guardrails record which one is active within a minute of its first deployment. Try again then.",
)
NO_MODEL: Final = Notice(
    404,
    "The active ruleset uses no model",
    "Or its model is not kept in the rules bucket. `make train` makes one, and a ruleset names it.",
)
NO_CANDIDATE: Final = Notice(
    409, "There is no candidate", "Nothing was changed. It was withdrawn, or decides for all users now."
)
NO_SHARE: Final = Notice(
    422,
    "For whom is it to decide?",
    "Nothing was changed. Choose all users, nobody, or a share of the users above 0 and at most 50 percent, other than now.",
)
MOVED_ENTRY: Final = Notice(
    409,
    "The list is another one now",
    "Nothing was changed. Another ruleset has become active: open the list again.",
)
NO_LIST: Final = Notice(
    422,
    "This cannot be put on that list",
    "Nothing was changed. The value is not kept any more, or the list is of another field.",
)
REFUSED_CHANGES: Final = {
    DeskRefusal.GONE: NO_PAGE,
    DeskRefusal.OWN_CHANGE: Notice(
        409,
        "Somebody else decides about your change",
        "Nothing was changed. Another author or a lead approves or rejects it.",
    ),
    DeskRefusal.NOT_THE_AUTHOR: Notice(
        409, "This is somebody else's change", "Nothing was changed. Only its author retracts it."
    ),
    DeskRefusal.DECIDED: Notice(
        409,
        "Somebody was faster",
        "Nothing was changed. The change is decided already: open it again to see how.",
    ),
    DeskRefusal.UNSEEN: Notice(
        409,
        "Look at the values first",
        "Nothing was changed. This change concerns entries of lists whose values are hidden: have them shown, then approve or reject it.",
    ),
    DeskRefusal.STALE: Notice(
        409,
        "Another ruleset is active now",
        "Nothing was changed. This change was made from an earlier ruleset: make it again from the active one.",
    ),
}
"""For steps that cannot be made with a change of the ruleset."""

OF_STATUS: Final = {notice.status: notice for notice in (NO_PAGE, BAD_METHOD, TOO_LARGE)}
"""For requests that no route takes."""
