"""Accounts as plain JSON values, and back."""

from __future__ import annotations

from typing import Any

from edgeau._system.records import from_dict, to_dict
from edgeau_export.profiling.model_profile import Account

__all__ = ["account_from", "as_document"]


def as_document(account: Account) -> dict[str, Any]:
    """An account as plain JSON values, with the figures that follow from it."""
    values: dict[str, Any] = to_dict(account)
    layers = values.pop("layers")
    share = account.integer_share
    return {
        **values,
        "flops": account.flops,
        "integer_mac_share": None if share is None else round(share, 6),
        "layers": layers,
    }


def account_from(document: dict[str, Any], where: str) -> Account:
    """The inverse of :func:`as_document`.

    Raises:
        RecordError: a field is missing or of the wrong type; the message names ``where`` and the field.
    """
    derived = ("flops", "integer_mac_share")
    return from_dict(Account, {key: value for key, value in document.items() if key not in derived}, where)
