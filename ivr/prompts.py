"""Builds every prompt of the catalogue into files that Asterisk plays: HOME/prompts/<language>/<prompt id>.wav.

What is made once is kept under its content's hash, so a second build only compares. A studio recording
HOME/studio/<language>/<prompt id>.wav takes the place of the synthesised sentence of that name.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from . import audio, catalogue, music, numerals, tones
from .speaker import EspeakSpeaker, Speaker, SpeechError

FORMAT = 1
"""Raise it when files that an earlier version made must not be used any more."""
BETWEEN_PHRASES_S = 0.25
SHORTEST_S = 0.08
LONGEST_S = 40.0
SLOWER = 0.75
"""The pace for a listener who wants it slower, of the usual one."""
ToolLookup = Callable[[str], Path | str | Sequence[str]]
"""A program's name → its file, or the argv that starts it. Raises whatever says how to get it."""
Progress = Callable[[int, int, str], None]
"""Called with (done, of how many, what was made last); from worker threads, one at a time."""


class HasHome(Protocol):
    """The part of the settings that a build needs."""

    @property
    def home(self) -> Path: ...


@dataclass(frozen=True)
class PromptSettings:
    """Where prompts go and how tools are found, for callers that have no settings object."""

    home: Path
    tool: ToolLookup


@dataclass(frozen=True)
class Fault:
    """A prompt that is not as wished, in words; `fatal` if there is no sound at all for it."""

    language: str
    prompt: str
    text: str
    fatal: bool

    def __str__(self) -> str:
        return f"{self.language}/{self.prompt}: {self.text}"


@dataclass
class Report:
    """What a build did. `ok` means that every prompt of every language can be played."""

    total: int = 0
    made: int = 0
    kept: int = 0
    studio: int = 0
    seconds: float = 0.0
    faults: list[Fault] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """False if any prompt has no sound."""
        return not any(fault.fatal for fault in self.faults)


class Store:
    """The prompt files below one home folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "prompts"
        self.studio = home / "studio"
        self.languages = home / catalogue.OWN_FOLDER
        self.cache = self.folder / ".cache"
        self.texts = self.folder / "texts"
        self.manifest_file = self.folder / ".manifest.json"

    def path(self, language: str, prompt: str) -> Path:
        """Where a prompt is, whether or not it has been built."""
        return self.folder / language / f"{prompt}.wav"

    def manifest(self) -> dict[str, str]:
        """`language/prompt` → content hash of the file there, as of the last build; {} if there was none."""
        try:
            found = json.loads(self.manifest_file.read_text())
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def write_manifest(self, manifest: dict[str, str]) -> None:
        """Replaces the manifest in one step."""
        temporary = self.manifest_file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(manifest, indent=0, sort_keys=True))
        os.replace(temporary, self.manifest_file)

    def cached(self, key: str) -> Path:
        """Where sound with that content hash is kept."""
        return self.cache / f"{key}.wav"

    def put(self, key: str, language: str, prompt: str) -> None:
        """Makes the cached sound `key` the file of `prompt`, in one step, while it may be playing."""
        target = self.path(language, prompt)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".put-") as folder:
            link = Path(folder) / target.name
            try:
                os.link(self.cached(key), link)
            except OSError:  # a file system without hard links
                link.write_bytes(self.cached(key).read_bytes())
            os.replace(link, target)


def build_prompts(
    settings: PromptSettings | HasHome,
    progress: Progress | None = None,
    *,
    tool: ToolLookup | None = None,
    words: catalogue.Catalogue | None = None,
    speaker: Speaker | None = None,
    workers: int = 2,
) -> Report:
    """Brings HOME/prompts and HOME/music up to date and measures what was made.

    `settings` has `home`; tools come from `tool`, else from `settings.tool(name)`. Only what changed is made again.
    Raises SpeechError when the voice can't be used at all; single failures are in the report.
    """
    started = time.monotonic()
    if speaker is None:
        find = tool or getattr(settings, "tool", None)
        if find is None:
            raise SpeechError("no way to find espeak-ng and sox was given")
        speaker = EspeakSpeaker(find("espeak-ng"), find("sox"))
    words = words or catalogue.of_home(settings.home)
    store = Store(settings.home)
    store.cache.mkdir(parents=True, exist_ok=True)
    music.build(settings.home / "music")
    return _Build(store, words, speaker, progress or (lambda done, total, what: None)).run(workers, started)


def speak_text(
    text: str,
    language: str,
    settings: PromptSettings,
    speaker: Speaker | None = None,
    *,
    slowly: bool = False,
    for_now: bool = False,
) -> Path:
    """The file with a text that is not in the catalogue (an announcement), made now unless it was before.

    What is `for_now`, as parts of answers of which there are thousands, goes when nobody has heard it for some time
    (`forget_texts`). Raises SpeechError (also for a language without a voice), AudioError, KeyError for a language that
    the catalogue lacks.
    """
    speaker = speaker or _speaker(settings)
    recipe = _of_text(text, language, settings, slowly=slowly)
    store = Store(settings.home)
    store.cache.mkdir(parents=True, exist_ok=True)
    key = _key(recipe, speaker)
    target = store.texts / f"{key}.wav" if for_now else store.cached(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.utime(target)
    except FileNotFoundError:
        _make(recipe, speaker, target)
    return target


def forget_texts(home: Path, unheard_s: float) -> int:
    """Removes what was spoken for now and not been heard for so many seconds; how many files."""
    limit, removed = time.time() - unheard_s, 0
    for file in Store(home).texts.glob("*.wav"):
        try:
            if file.stat().st_mtime < limit:
                file.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed


def speak_into(target: Path, text: str, language: str, settings: PromptSettings, *, slowly: bool = False) -> None:
    """As `speak_text`, for one listener: nothing of it is kept but `target`. Raises the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _make(_of_text(text, language, settings, slowly=slowly), _speaker(settings), target)


def read_recording(source: Path, settings: PromptSettings, *, slowly: bool = False) -> Path:
    """A recording (any file that sox reads) as a telephone plays it, made now unless it was before.

    Raises SpeechError, AudioError, OSError.
    """
    store = Store(settings.home)
    pace = SLOWER if slowly else 1.0
    key = "studio-" + hashlib.sha256(f"{FORMAT} {pace}".encode() + source.read_bytes()).hexdigest()[:40]
    if not store.cached(key).exists():
        with tempfile.TemporaryDirectory(dir=store.cache) as folder:
            plain = Path(folder) / "studio.wav"
            _speaker(settings).convert(source, plain, pace)
            audio.write(store.cached(key), _checked(audio.read(plain)))
    return store.cached(key)


@cache
def _espeak(espeak: str, sox: str) -> EspeakSpeaker:
    return EspeakSpeaker(espeak.split("\0"), sox.split("\0"))


def _speaker(settings: PromptSettings) -> EspeakSpeaker:
    """The voice, asked for its version once."""
    found = (settings.tool("espeak-ng"), settings.tool("sox"))
    return _espeak(*("\0".join([str(one)] if isinstance(one, str | Path) else one) for one in found))


def _of_text(text: str, language: str, settings: PromptSettings, *, slowly: bool) -> catalogue.Recipe:
    phrase = catalogue.of_home(settings.home).languages[language].phrase(numerals.aloud(text, language))
    if not phrase.voice:
        raise SpeechError(f"there is no voice for language '{language}'")
    if slowly:
        phrase = replace(phrase, words_per_minute=round(phrase.words_per_minute * SLOWER))
    return catalogue.Recipe((phrase,))


class _Build:
    def __init__(self, store: Store, words: catalogue.Catalogue, speaker: Speaker, progress: Progress) -> None:
        self.store = store
        self.words = words
        self.speaker = speaker
        self.progress = progress
        self.before = store.manifest()
        self.after: dict[str, str] = {}
        self.report = Report()

    def run(self, workers: int, started: float) -> Report:
        wanted = [(code, prompt) for code in self.words.languages for prompt in self.words.ids(code)]
        self.report.total = len(wanted)
        by_key: dict[str, list[tuple[str, str]]] = {}
        recipes: dict[str, catalogue.Recipe] = {}
        for code, prompt in wanted:
            if self._from_studio(code, prompt):
                continue
            recipe = self.words.find(code, prompt)
            if recipe is None or not (recipe.phrases or recipe.tone):
                self.report.faults.append(Fault(code, prompt, "has neither a voice nor a recording", fatal=True))
                continue
            key = _key(recipe, self.speaker)
            recipes[key] = recipe
            by_key.setdefault(key, []).append((code, prompt))
        missing = [key for key in by_key if not self.store.cached(key).exists()]
        done = self.report.total - len(missing)
        with ThreadPoolExecutor(workers, thread_name_prefix="prompts") as pool:
            for key, fault in zip(missing, pool.map(lambda key: self._try(key, recipes[key]), missing), strict=True):
                code, prompt = by_key[key][0]
                done += 1
                self.report.made += not fault
                if fault:
                    self.report.faults += [Fault(*name, fault, fatal=True) for name in by_key.pop(key)]
                self.progress(min(done, self.report.total), self.report.total, f"{code}/{prompt}")
        for key, names in by_key.items():
            for code, prompt in names:
                self._place(key, code, prompt)
        self._remove_stale()
        self.store.write_manifest(self.after)
        self.report.kept = self.report.total - self.report.made - self.report.studio - len(self.report.faults)
        self.report.seconds = time.monotonic() - started
        return self.report

    def _try(self, key: str, recipe: catalogue.Recipe) -> str:
        try:
            _make(recipe, self.speaker, self.store.cached(key))
        except (SpeechError, audio.AudioError, OSError) as error:
            return str(error)
        return ""

    def _from_studio(self, code: str, prompt: str) -> bool:
        """Puts a studio recording in place if there is one, else the recording in the language's own folder; a broken
        one is reported and the voice speaks instead."""
        for folder in (self.store.studio, self.store.languages):
            source = folder / code / f"{prompt}.wav"
            try:
                return self._from_recording(source, source.read_bytes(), code, prompt)
            except FileNotFoundError:
                continue
            except OSError as error:
                self.report.faults.append(Fault(code, prompt, f"studio recording: {error}", fatal=False))
                return False
        return False

    def _from_recording(self, source: Path, content: bytes, code: str, prompt: str) -> bool:
        key = "studio-" + hashlib.sha256(f"{FORMAT}".encode() + content).hexdigest()[:40]
        try:
            if not self.store.cached(key).exists():
                if not isinstance(self.speaker, EspeakSpeaker):
                    audio.write(self.store.cached(key), _checked(audio.read(source)))
                else:
                    with tempfile.TemporaryDirectory(dir=self.store.cache) as folder:
                        plain = Path(folder) / "studio.wav"
                        self.speaker.convert(source, plain)
                        audio.write(self.store.cached(key), _checked(audio.read(plain)))
        except (SpeechError, audio.AudioError, OSError) as error:
            self.report.faults.append(Fault(code, prompt, f"studio recording not used: {error}", fatal=False))
            return False
        self._place(key, code, prompt)
        self.report.studio += 1
        return True

    def _place(self, key: str, code: str, prompt: str) -> None:
        name = f"{code}/{prompt}"
        if self.before.get(name) != key or not self.store.path(code, prompt).exists():
            self.store.put(key, code, prompt)
        self.after[name] = key

    def _remove_stale(self) -> None:
        for name in self.before.keys() - self.after.keys():
            code, _, prompt = name.partition("/")
            if not any(fault.language == code and fault.prompt == prompt for fault in self.report.faults):
                self.store.path(code, prompt).unlink(missing_ok=True)


def missing_files(home: Path, words: catalogue.Catalogue | None = None) -> Iterator[str]:
    """`language/prompt` of everything that the catalogue has and the folder lacks."""
    words = words or catalogue.of_home(home)
    store = Store(home)
    for code in words.languages:
        have = {path.stem for path in (store.folder / code).glob("*.wav")}
        yield from (f"{code}/{prompt}" for prompt in words.ids(code) if prompt not in have)


def _key(recipe: catalogue.Recipe, speaker: Speaker) -> str:
    how = (
        [recipe.tone, audio.RATE]
        if recipe.tone
        else [[p.voice, p.words_per_minute, p.aloud] for p in recipe.phrases] + [speaker.identity, BETWEEN_PHRASES_S]
    )
    return hashlib.sha256(json.dumps([FORMAT, how], ensure_ascii=False).encode()).hexdigest()[:40]


def _make(recipe: catalogue.Recipe, speaker: Speaker, target: Path) -> None:
    if recipe.tone:
        audio.write(target, tones.samples(recipe.tone))
        return
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".make-") as folder:
        parts = []
        for number, phrase in enumerate(recipe.phrases):
            part = Path(folder) / f"{number}.wav"
            speaker.speak(phrase, part)
            parts.append(part)
        audio.write(target, _checked(audio.join(parts, BETWEEN_PHRASES_S)))


def _checked(samples: audio.Samples) -> audio.Samples:
    """The same samples if a caller would hear them well. Raises AudioError."""
    level = audio.measure(samples)
    if level.seconds < SHORTEST_S or level.peak_db < -30 or not level.loud_seconds:
        raise audio.AudioError(f"nothing is heard: {level.seconds:.2f} s, peak {level.peak_db:.0f} dB")
    if level.seconds > LONGEST_S:
        raise audio.AudioError(f"{level.seconds:.0f} s is too long for a prompt")
    return samples
