"""Where the hotline may call: one rule, for agents and transfers, for citizens who asked to be called back, for audits.

A destination is written as the name of a kind (`KINDS`) or as a regular expression that matches the whole number. Three
lists are made of them: what anybody may call from here, which numbers may be called back, and which of those that units
have published may be audited. An agent with the
permission to dial out may call everything. Whatever is in no list cannot be called: whoever keys in a premium number
as their own would otherwise have the hotline pay for it.

The dialplan asks the same expressions as Python does, so that neither permits what the other refuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.text import normal_number

# Numbers as `normal_number` spells them. 电信网编号计划: subscribers in the fixed network begin with 2 to 8, short and
# service numbers with 1 or 9, satellite telephones with 1349 and 174; 0204 and 0209 of Taiwan and 900 of Hong Kong are
# premium rates. No braces with a comma: a comma ends an argument in the dialplan.
KINDS: Mapping[str, str] = {
    "mobile": "1(3([0-35-9][0-9]|4[0-8])|4[5-9][0-9]|[5689][0-9]{2}|7[0-35-9][0-9])[0-9]{7}",
    "fixed": "((010|02[0-9])[2-8][0-9]{7}|0[3-9][0-9]{2}[2-8][0-9]{6}[0-9]?|[2-8][0-9]{6}[0-9]?)",
    "hongkong": "[+]852[2-79][0-9]{7}",
    "macau": "[+]853[268][0-9]{7}",
    "taiwan": "[+]886(9[0-9]{8}|[2-8][2-8][0-9]{6}[0-9]?)",
}
EMERGENCY = ("110", "119", "120", "122")  # 国办发〔2022〕12号: interlinked with the hotline, not merged
ANYBODY = EMERGENCY
CALL_BACK = ("mobile", "fixed")
# Units publish service numbers too (码号资源管理: 10xxx and 12xxx, 95xxx, 96xxx, 400); 116xx and 16x, which cost more,
# not.
AUDIT = (*CALL_BACK, "400[0-9]{7}", "1[02][0-9]{3}", "9[56][0-9]{3}[0-9]?[0-9]?")

# What POSIX extended expressions (the dialplan's) and Python's have in common, as far as numbers need it.
_COMMON = re.compile(r"[0-9+*#()|?{},\[\].-]*")


class BadPattern(ValueError):
    """A destination that is no kind, or that the dialplan could not read the way it was meant; the text says which."""


def expression(patterns: Sequence[str]) -> str:
    """One anchored expression, read alike by the dialplan and by Python: whatever any of `patterns` matches whole.

    No pattern at all gives an expression that matches nothing. Raises BadPattern for what the two dialects read
    differently, so that a permission is never wider than written.
    """
    translated = []
    for pattern in patterns:
        posix = KINDS.get(pattern, pattern).removeprefix("^").removesuffix("$")
        posix = posix.replace(r"\d", "[0-9]").replace("(?:", "(").replace(r"\+", "[+]").replace(r"\*", "[*]")
        if not _COMMON.fullmatch(posix) or "(?" in posix:
            kinds = ", ".join(KINDS)
            raise BadPattern(
                f"{pattern!r} is neither a kind of number ({kinds}) nor an expression: "
                "digits, + * # . ( ) | ? { } [ ] and \\d only"
            )
        try:
            re.compile(posix)
        except re.error as error:
            raise BadPattern(f"not a regular expression: {pattern!r} ({error})") from error
        if posix:
            translated.append(f"({posix})")
    return f"^({'|'.join(translated)})$" if translated else "^$"


class Destinations:
    """The rule of one instance. `own`: the hotline's own numbers, which nobody is called back at."""

    def __init__(
        self,
        anybody: Sequence[str] = ANYBODY,
        call_back: Sequence[str] = CALL_BACK,
        own: Collection[str] = (),
        audit: Sequence[str] = AUDIT,
    ) -> None:
        self.anybody_expression, self.call_back_expression = expression(anybody), expression(call_back)
        self.audit_expression = expression(audit)
        self._anybody, self._call_back = re.compile(self.anybody_expression), re.compile(self.call_back_expression)
        self._audit = re.compile(self.audit_expression)
        self._own = frozenset(own)

    @classmethod
    def of(cls, settings: Any) -> Destinations:
        """The rule that `app.settings.Settings` holds."""
        own = (settings.main_number, settings.fax_number)
        return cls(settings.outbound_allowed, settings.callback_allowed, own, settings.audit_allowed)

    def may_dial(self, number: str, *, may_dial_out: bool = False) -> bool:
        """Whether an agent (without `may_dial_out`: anybody) may call `number` outside, spelled as it is dialled."""
        return may_dial_out or (number != "" and self._anybody.fullmatch(number) is not None)

    def may_call_back(self, number: str) -> bool:
        """Whether a citizen may be called back at `number`, in whatever spelling."""
        normal = normal_number(number)
        return normal != "" and normal not in self._own and self._call_back.fullmatch(normal) is not None

    def may_audit(self, number: str) -> bool:
        """Whether a published number, in whatever spelling, may be dialled by an audit."""
        normal = normal_number(number)
        return normal != "" and normal not in self._own and self._audit.fullmatch(normal) is not None
