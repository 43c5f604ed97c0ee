"""What one instance of a checkout has spoken, another does not speak again."""

from pathlib import Path

import pytest

from app.prompting import build_all
from app.settings import REPO, Settings
from ivr.prompts import Store


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tools folder with the real programs and nothing spoken yet."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "bin").symlink_to(REPO / ".telephony/bin")
    return folder


@pytest.fixture(scope="module")
def first(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("first"), tools=tools)
    settings.ensure_dirs()
    report = build_all(settings)
    assert report.ok
    assert report.made > 100
    return settings


def second(tools: Path, folder: Path) -> Settings:
    settings = Settings(home=folder / "second", tools=tools)
    settings.ensure_dirs()
    return settings


def test_a_second_instance_takes_over_what_the_first_has_spoken(first: Settings, tools: Path, tmp_path: Path) -> None:
    settings = second(tools, tmp_path)
    report = build_all(settings)
    assert report.ok
    assert report.made == 0
    one, other = (Store(each.home).path("zh", "greeting") for each in (first, settings))
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_ino != other.stat().st_ino


def test_what_has_been_lost_from_the_shared_folder_is_spoken_again(
    first: Settings, tools: Path, tmp_path: Path
) -> None:
    lost = Store(first.home).manifest()["zh/greeting"]
    (tools / "prompt-cache" / f"{lost}.wav").unlink()
    report = build_all(second(tools, tmp_path))
    assert (report.ok, report.made) == (True, 1)
    assert (tools / "prompt-cache" / f"{lost}.wav").exists()


def test_sounds_that_no_prompt_uses_any_more_are_dropped(first: Settings, tools: Path, tmp_path: Path) -> None:
    outdated = tools / "prompt-cache" / f"{'0' * 40}.wav"
    outdated.write_bytes(b"")
    (tools / "prompt-cache" / f"{Store(first.home).manifest()['en/greeting']}.wav").unlink()
    build_all(second(tools, tmp_path))
    assert not outdated.exists()
