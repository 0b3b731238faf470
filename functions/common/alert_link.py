"""Where an alert leads: the console's page of its case."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

ConsoleUrl = Annotated[str, Meta(pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$", max_length=512)]
"""Where people open the console, with the stage's path. A setting that is empty where there is no console."""


def alert_link(console_url: str, alert_id: str) -> str | None:
    """Name the page that finds the case of an alert or a digest; it asks whoever opens it to sign in.

    Parameters
    ----------
    console_url : str
        Empty where there is no console.
    alert_id : str
        Of the message. It says nothing of the payment.

    Examples
    --------
    >>> alert_link("https://console.example/v1/", "0b6f7e0c-1d2e-5f3a-8b4c-9d0e1f2a3b4c")
    'https://console.example/v1/alerts/0b6f7e0c-1d2e-5f3a-8b4c-9d0e1f2a3b4c'
    """
    return f"{console_url.rstrip('/')}/alerts/{alert_id}" if console_url else None
