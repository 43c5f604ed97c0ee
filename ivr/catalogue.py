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
OWN_FOLDER = "languages"
"""Below an instance's home: its own languages, one folder each."""
OWN_FILE = "language.yaml"

_LANGUAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["language", "prompts"],
    "additionalProperties": False,
    "properties": {
        "language": {"type": "string", "pattern": "^[a-z]{2,3}$"},
        "voice": {"type": "string", "pattern": "^[a-zA-Z0-9-]*$"},
        "words_per_minute": {"type": "integer", "minimum": 80, "maximum": 300},
        "reads": {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": "^[a-z]{2,3}$"}},
        "read_as": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "series": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 60}},
        },
        "prompts": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 400},
        },
    },
}
_SHARED_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["languages", "tones", "series"],
    "additionalProperties": False,
    "properties": {
        "languages": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
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
    """How one prompt becomes sound: phrases one after another, a computed tone, or a recording with that text."""

    phrases: tuple[Phrase, ...] = ()
    tone: str = ""
    recorded: str = ""

    @property
    def text(self) -> str:
        """What a person would read in its place."""
        return f"({self.tone})" if self.tone else self.recorded or " ".join(phrase.text for phrase in self.phrases)


@dataclass(frozen=True)
class Language:
    """One language of the catalogue.

    `voice` is "" for a language that no engine speaks: then it has what is `recorded`, the names of the sound files in
    its folder. `reads` are the languages whose written texts its voice reads aloud, as Cantonese does with 书面语.
    `series` are its words for counted things, from the first that there is.
    """

    code: str
    voice: str
    words_per_minute: int
    read_as: Mapping[str, str]
    prompts: Mapping[str, str]
    reads: tuple[str, ...] = ()
    series: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recorded: frozenset[str] = frozenset()

    def phrase(self, text: str) -> Phrase:
        """`text` for this language's voice, with numbers that have a name of their own written out."""
        aloud = text
        for written in sorted(self.read_as, key=len, reverse=True):
            aloud = aloud.replace(written, self.read_as[written])
        return Phrase(self.voice, self.words_per_minute, text, aloud)

    def counted(self, name: str, number: int, numbers: range) -> tuple[Phrase, ...]:
        """How `number` of that series is said: in one word, or digit by digit where the language has none for it."""
        own, shipped = self.series.get(name), numerals.WORDS.get(self.code, {}).get(name)
        if own is not None:
            said = own[number - numbers.start :][:1]
        elif shipped is not None:
            said = (shipped(number),)
        else:
            said = tuple(self.prompts.get(f"digit_{digit}", "") for digit in str(number))
        if not self.voice or not all(said):
            return ()
        return tuple(Phrase(self.voice, self.words_per_minute, one, one) for one in said)


@dataclass(frozen=True)
class Catalogue:
    """All prompts of all languages. Ids are the same in every language; a gap is the verifier's business.

    `yue:greeting` is that prompt in Cantonese, whatever language is spoken.
    """

    languages: Mapping[str, Language]
    tones: tuple[str, ...] = ()
    series: Mapping[str, range] = field(default_factory=dict)

    def ids(self, language: str) -> Iterator[str]:
        """Every prompt id that `language` has."""
        speech = self.languages[language]
        yield from speech.prompts
        yield from self.tones
        for name, numbers in self.series.items():
            for number in numbers:
                if speech.voice or f"{name}_{number}" in speech.recorded:
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
        """As `recipe`, or None. What is only recorded has a recipe without a phrase."""
        code, _, name = prompt.rpartition(":")
        speech = self.languages.get(code or language)
        if speech is None:
            return None
        if name in speech.prompts:
            if speech.voice:
                return Recipe((speech.phrase(speech.prompts[name]),))
            return Recipe(recorded=speech.prompts[name]) if name in speech.recorded else None
        if name in self.tones:
            return Recipe(tone=name)
        if name in speech.recorded:
            return Recipe(recorded=name)
        series, _, count = name.rpartition("_")
        if series in self.series and count.isdecimal() and int(count) in self.series[series]:
            phrases = speech.counted(series, int(count), self.series[series])
            return Recipe(phrases) if phrases else None
        return None

    def reads(self, language: str, text_language: str) -> bool:
        """Whether the voice of `language` can read a text in `text_language` aloud."""
        speech = self.languages.get(language)
        return speech is not None and bool(speech.voice) and text_language in (language, *speech.reads)


def load(folder: Path = FOLDER, more: Path | None = None) -> Catalogue:
    """Reads `shared.yaml`, one file per language it names, and of an instance's own languages in `more` one folder
    each (<code>/language.yaml with its recordings). Raises marked_yaml.DataFileError naming the line."""
    shared = marked_yaml.load(folder / "shared.yaml", _SHARED_SCHEMA)
    languages = {code: _language(folder / f"{code}.yaml", code) for code in shared.value["languages"]}
    for own in own_languages(more):
        languages[own.name] = _language(own / OWN_FILE, own.name, own)
    return Catalogue(
        languages=languages,
        tones=tuple(shared.value["tones"]),
        series={name: range(span["from"], span["to"] + 1) for name, span in shared.value["series"].items()},
    )


@cache
def shipped() -> Catalogue:
    """The project's own catalogue, read once."""
    return load()


@cache
def of_home(home: Path) -> Catalogue:
    """The project's own languages and those of the instance in `home`, read once per process."""
    more = home / OWN_FOLDER
    return load(more=more) if own_languages(more) else shipped()


def own_languages(more: Path | None) -> list[Path]:
    """The folders of an instance's own languages, in the order of their names."""
    if more is None or not more.is_dir():
        return []
    return sorted(one.parent for one in more.glob(f"*/{OWN_FILE}"))


def _language(path: Path, code: str, folder: Path | None = None) -> Language:
    marked = marked_yaml.load(path, _LANGUAGE_SCHEMA)
    value = marked.value
    if value["language"] != code:
        named = "the folder's name" if folder else "the file's name"
        raise marked_yaml.DataFileError(path, [marked.problem(("language",), f"must be '{code}', {named}")])
    return Language(
        code,
        value.get("voice", ""),
        value.get("words_per_minute", 160),
        value.get("read_as", {}),
        value["prompts"],
        tuple(value.get("reads", ())),
        {name: tuple(words) for name, words in value.get("series", {}).items()},
        frozenset(one.stem for one in folder.glob("*.wav")) if folder else frozenset(),
    )
