"""The lists that are shipped, read from `shipped.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from app.phrases.model import Kind, Phrase, Where

FILE = Path(__file__).with_name("shipped.yaml")


def phrase_of(kept: Mapping[str, Any]) -> Phrase:
    """A phrase as it is written in the file, or kept in an edition; what is not said there is as in `Phrase`."""
    return Phrase(
        **{
            **kept,
            "kind": Kind(kept["kind"]),
            "where": Where(kept.get("where", Where.anywhere)),
            "variants": tuple(kept.get("variants", ())),
            "unless": tuple(kept.get("unless", ())),
        }
    )


_READ: Mapping[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
SHIPPED: Sequence[Phrase] = tuple(phrase_of(one) for one in _READ["phrases"])
FAREWELLS: Mapping[str, Sequence[str]] = {language: tuple(words) for language, words in _READ["farewells"].items()}
