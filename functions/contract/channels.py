"""The closed set of channels that rules know, and which of them a sender's word means."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from contract.text import canonical_text


class Channel(StrEnum):
    """How a payment is made."""

    IN_PERSON = "in_person"
    """At a merchant's place: a terminal, contactless, a ticket machine."""
    ATM = "atm"
    """At a cash machine."""
    ONLINE = "online"
    """On a web page, or by telephone or mail: nobody sees the payer."""
    APP = "app"
    """In an application on a telephone."""
    TRANSFER = "transfer"
    """From account to account."""
    OTHER = "other"
    """The sender's word is known to be none of these: a direct debit, a fee."""
    UNKNOWN = "unknown"
    """The sender names none, or uses a word that is not known here."""


_WORDS: Final = {
    Channel.IN_PERSON: (
        "in_person inperson in_store instore store shop retail pos pos_terminal point_of_sale terminal card_present cp present "
        "physical face_to_face f2f chip chip_and_pin chip_transaction emv contact contactless nfc tap tap_to_pay swipe "
        "swipe_transaction magstripe magnetic_stripe mag_stripe fallback pin signature kiosk vending mpos softpos branch counter "
        "unattended"
    ),
    Channel.ATM: (
        "atm cash_machine cashpoint cash_point cash_withdrawal atm_withdrawal cash_out cashout withdrawal cash_advance automat"
    ),
    Channel.ONLINE: (
        "online online_transaction internet web website web_site www ecommerce e_commerce ecom e_com card_not_present cnp "
        "not_present remote browser desktop checkout net shopping_net shop_online online_shop moto mail_order telephone_order "
        "phone_order mail telephone call_center call_centre ivr 3ds 3d_secure pay_by_link payment_link"
    ),
    Channel.APP: (
        "app in_app inapp mobile mobile_app mobile_application mobile_banking app_banking phone_app smartphone ios android iphone "
        "ipad tablet m_commerce mcommerce wallet mobile_wallet"
    ),
    Channel.TRANSFER: (
        "transfer bank_transfer wire wire_transfer credit_transfer money_transfer account_transfer a2a account_to_account p2p "
        "peer_to_peer sepa sepa_credit_transfer sct sct_inst sepa_instant instant_payment instant_transfer ach ach_credit swift "
        "faster_payments fps fedwire chaps bacs pix upi neft rtgs imps interac spei remittance giro"
    ),
    Channel.OTHER: (
        "other direct_debit debit_order sdd sepa_direct_debit standing_order recurring subscription fee fees interest charge "
        "refund reversal chargeback cheque check cash voucher gift_card deposit cash_in"
    ),
}
"""Channel to the words of senders, in lower case, parts joined by ``_``."""

_CHANNEL_OF_WORD: Final = {word: channel for channel, words in _WORDS.items() for word in words.split()}
_SEPARATORS: Final = re.compile(r"[\W_]+")


@lru_cache(maxsize=1024)
def channel_of(word: str | None) -> Channel:
    """Find the channel that a sender's word means, in any case, with any separators.

    Parameters
    ----------
    word : str | None
        As sent; None where the sender names none.

    Returns
    -------
    Channel
        :attr:`Channel.UNKNOWN` for a word that is not known.

    Examples
    --------
    >>> channel_of("Online").value, channel_of("Card-Present").value, channel_of("CP").value, channel_of(None).value
    ('online', 'in_person', 'in_person', 'unknown')
    """
    if word is None:
        return Channel.UNKNOWN
    parts = _SEPARATORS.sub("_", canonical_text(word).casefold()).strip("_")
    return _CHANNEL_OF_WORD.get(parts) or _CHANNEL_OF_WORD.get(parts.replace("_", "")) or Channel.UNKNOWN
