"""Every sentence that the hotline says, in every language: what its text is and how it is made into sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from . import marked_yaml, numerals
from .tones import TONES

FOLDER = Path(__file__).parent / "catalogue"

_LANGUAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["language", "voice", "prompts"],
    "additionalProperties": False,
    "properties": {
        "language": {"type": "string", "pattern": "^[a-z]{2,3}$"},
        "voice": {"type": "string", "pattern": "^[a-zA-Z0-9-]+$"},
        "words_per_minute": {"type": "integer", "minimum": 80, "maximum": 300},
        "read_as": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "prompts": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 400},
        },
    },
}
_MIXED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["languages", "mixed", "tones", "series"],
    "additionalProperties": False,
    "properties": {
        "languages": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
        "mixed": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": {"type": "string", "minLength": 1},
                },
            },
        },
        "tones": {"type": "array", "items": {"enum": sorted(TONES)}},
        "series": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["from", "to"],
                "additionalProperties": False,
                "properties": {
                    "from": {"type": "integer", "minimum": 0, "maximum": 99},
                    "to": {"type": "integer", "minimum": 0, "maximum": 99},
                },
            },
        },
    },
}


@dataclass(frozen=True)
class Phrase:
    """Text for one voice: `text` as a person reads it, `aloud` as the voice is given it."""

    voice: str
    words_per_minute: int
    text: str
    aloud: str


@dataclass(frozen=True)
class Recipe:
    """How one prompt becomes sound: phrases spoken one after another, or a computed tone."""

    phrases: tuple[Phrase, ...] = ()
    tone: str = ""

    @property
    def text(self) -> str:
        """What a person would read in its place."""
        return f"({self.tone})" if self.tone else " ".join(phrase.text for phrase in self.phrases)


@dataclass(frozen=True)
class Language:
    """One language of the catalogue."""

    code: str
    voice: str
    words_per_minute: int
    read_as: Mapping[str, str]
    prompts: Mapping[str, str]

    def phrase(self, text: str) -> Phrase:
        """`text` for this language's voice, with numbers that have a name of their own written out."""
        aloud = text
        for written in sorted(self.read_as, key=len, reverse=True):
            aloud = aloud.replace(written, self.read_as[written])
        return Phrase(self.voice, self.words_per_minute, text, aloud)


@dataclass(frozen=True)
class Catalogue:
    """All prompts of all languages. Ids are the same in every language; a gap is the verifier's business."""

    languages: Mapping[str, Language]
    mixed: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    tones: tuple[str, ...] = ()
    series: Mapping[str, range] = field(default_factory=dict)

    def ids(self, language: str) -> Iterator[str]:
        """Every prompt id that `language` has."""
        yield from self.languages[language].prompts
        yield from self.mixed
        yield from self.tones
        for name, numbers in self.series.items():
            for number in numbers:
                yield f"{name}_{number}"

    def has(self, language: str, prompt: str) -> bool:
        """True if `language` can say `prompt`."""
        return self.find(language, prompt) is not None

    def recipe(self, language: str, prompt: str) -> Recipe:
        """How `prompt` is made in `language`. Raises KeyError naming both if there is none."""
        found = self.find(language, prompt)
        if found is None:
            raise KeyError(f"prompt '{prompt}' is missing in language '{language}'")
        return found

    def find(self, language: str, prompt: str) -> Recipe | None:
        """As `recipe`, or None."""
        speech = self.languages.get(language)
        if speech is None:
            return None
        if prompt in speech.prompts:
            return Recipe((speech.phrase(speech.prompts[prompt]),))
        if prompt in self.mixed:
            return Recipe(tuple(self.languages[code].phrase(text) for code, text in self.mixed[prompt]))
        if prompt in self.tones:
            return Recipe(tone=prompt)
        name, _, count = prompt.rpartition("_")
        words = numerals.WORDS.get(language, {}).get(name)
        if name in self.series and words and count.isdecimal() and int(count) in self.series[name]:
            said = words(int(count))
            return Recipe((Phrase(speech.voice, speech.words_per_minute, said, said),))
        return None


def load(folder: Path = FOLDER) -> Catalogue:
    """Reads `mixed.yaml` and one file per language it names. Raises marked_yaml.DataFileError naming the line."""
    shared = marked_yaml.load(folder / "mixed.yaml", _MIXED_SCHEMA)
    codes: list[str] = shared.value["languages"]
    problems = [
        shared.problem(("mixed", prompt, index), f"language '{code}' is not among {', '.join(codes)}")
        for prompt, parts in shared.value["mixed"].items()
        for index, part in enumerate(parts)
        for code in part
        if code not in codes
    ]
    problems += [
        shared.problem(("series", name), f"no words for '{name}' in language '{code}' (ivr/numerals.py)")
        for name in shared.value["series"]
        for code in codes
        if name not in numerals.WORDS.get(code, {})
    ]
    if problems:
        raise marked_yaml.DataFileError(shared.path, problems)
    return Catalogue(
        languages={code: _language(folder / f"{code}.yaml", code) for code in codes},
        mixed={
            prompt: tuple((code, text) for part in parts for code, text in part.items())
            for prompt, parts in shared.value["mixed"].items()
        },
        tones=tuple(shared.value["tones"]),
        series={name: range(span["from"], span["to"] + 1) for name, span in shared.value["series"].items()},
    )


@cache
def shipped() -> Catalogue:
    """The project's own catalogue, read once."""
    return load()


def _language(path: Path, code: str) -> Language:
    marked = marked_yaml.load(path, _LANGUAGE_SCHEMA)
    value = marked.value
    if value["language"] != code:
        raise marked_yaml.DataFileError(path, [marked.problem(("language",), f"must be '{code}', the file's name")])
    return Language(
        code, value["voice"], value.get("words_per_minute", 160), value.get("read_as", {}), value["prompts"]
    )
