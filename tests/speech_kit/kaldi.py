"""The files of a model as Kaldi and OpenFst keep them, written from scratch (vosk 0.3.45 reads them)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.speech_kit.corpus import SILENCE, STRANGE, Lexicon
from tests.speech_kit.features import CEPS, MFCC_CONF, SPREAD
from tests.speech_kit.network import Layer
from tests.speech_kit.words import UNKNOWN

STRANGE_STATES = 8  # what is none of the words lasts a quarter of a second at least
WORD_COST, STRANGE_COST, SILENCE_COST = 3.0, 4.0, 0.7
MODEL_CONF = """--min-active=200
--max-active=3000
--beam=12.0
--lattice-beam=4.0
--acoustic-scale=1.0
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""


@dataclass(frozen=True)
class Phone:
    """A phone at its place in one word; its number is its place in the list of all. `pdfs` has one for each state."""

    pdfs: tuple[int, ...]
    place: str  # as in word_boundary.int


@dataclass
class Fst:
    """A weighted transducer; state 0 is where it begins and, with weight 0, where it may end."""

    arcs: list[list[tuple[int, int, float, int]]] = field(default_factory=lambda: [[]])

    def state(self) -> int:
        """A new state."""
        self.arcs.append([])
        return len(self.arcs) - 1

    def bytes(self) -> bytes:
        """As OpenFst's vector of the standard semiring."""
        head = struct.pack("<i", 2125659606) + _text("vector") + _text("standard")
        head += struct.pack("<iiQqqq", 2, 0, 3, 0, len(self.arcs), sum(map(len, self.arcs)))
        body = bytearray(head)
        for at, arcs in enumerate(self.arcs):
            body += struct.pack("<fq", 0.0 if at == 0 else float("inf"), len(arcs))
            for arc in arcs:
                body += struct.pack("<iifi", *arc)
        return bytes(body)


def write(folder: Path, words: Lexicon, layers: Sequence[Layer], priors: npt.NDArray[np.float32]) -> None:
    """A whole model in an empty folder."""
    names = [*words.phones, UNKNOWN]
    phones, spelt = _phones(words)
    files = {
        "am/final.mdl": _acoustic(phones, layers, priors),
        "conf/mfcc.conf": MFCC_CONF.encode(),
        "conf/model.conf": MODEL_CONF.encode(),
        "graph/HCLr.fst": _spelling(phones, spelt, names).bytes(),
        "graph/Gr.fst": _grammar(names).bytes(),
        "graph/disambig_tid.int": b"",
        "graph/words.txt": "".join(f"{name} {at}\n" for at, name in enumerate(["<eps>", *names])).encode(),
        "graph/phones/word_boundary.int": "".join(
            f"{at} {phone.place}\n" for at, phone in enumerate(phones, 1)
        ).encode(),
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _phones(words: Lexicon) -> tuple[list[Phone], dict[str, list[int]]]:
    """(all phones, silence first; the numbers of each word's phones)."""
    pdf = {state: at for at, state in enumerate(words.states)}
    phones = [Phone((pdf[SILENCE, 0],), "nonword"), Phone((pdf[STRANGE, 0],) * STRANGE_STATES, "singleton")]
    spelt = {UNKNOWN: [2]}
    for word, names in words.phones.items():
        spelt[word] = []
        for at, name in enumerate(names):
            last = at == len(names) - 1
            place = ("singleton" if last else "begin") if at == 0 else ("end" if last else "internal")
            states = tuple(pdf[name, part] for part in range(1 + (name in words.long)))
            phones.append(Phone(states, place))
            spelt[word].append(len(phones))
    return phones, spelt


def _spelling(phones: Sequence[Phone], spelt: dict[str, list[int]], names: Sequence[str]) -> Fst:
    """From transition-ids to words, any number of them, with silence wherever there is some."""
    first_id, at = [], 1
    for phone in phones:
        first_id.append(at)
        at += 2 * len(phone.pdfs)
    made = Fst()

    def path(numbers: Sequence[int], word: int, cost: float) -> None:
        here, out = 0, word
        for number in numbers:
            for state in range(len(phones[number - 1].pdfs)):
                stays = first_id[number - 1] + 2 * state
                there = made.state()
                # The step onward is named where the state is entered, the stay after it.
                made.arcs[here].append((stays + 1, out, cost, there))
                made.arcs[there].append((stays, 0, 0.0, there))
                here, out, cost = there, 0, 0.0
        made.arcs[here].append((0, 0, 0.0, 0))

    path([1], 0, SILENCE_COST)
    for number, name in enumerate(names, 1):
        path(spelt[name], number, 0.0)
    return made


def _grammar(names: Sequence[str]) -> Fst:
    """Any word may follow any other."""
    costs = [STRANGE_COST if name == UNKNOWN else WORD_COST for name in names]
    return Fst([[(at, at, cost, 0) for at, cost in enumerate(costs, 1)]])


def _acoustic(phones: Sequence[Phone], layers: Sequence[Layer], priors: npt.NDArray[np.float32]) -> bytes:
    return b"\0B" + _transitions(phones) + _network(layers) + _token("<Priors>") + _vector(priors)


def _transitions(phones: Sequence[Phone]) -> bytes:
    # One form of topology for each number of states and each way in which they share pdfs.
    forms = sorted({(len(phone.pdfs), len(set(phone.pdfs)) == 1) for phone in phones})
    numbers = range(1, len(phones) + 1)
    form_of = [forms.index((len(phone.pdfs), len(set(phone.pdfs)) == 1)) for phone in phones]
    out = _token("<TransitionModel>") + _token("<Topology>") + _integers(numbers) + _integers([-1, *form_of])
    out += _int(len(forms))
    for count, shared in forms:
        out += _int(count + 1)
        for state in range(count):
            out += _int(0 if shared else state) + _int(2)
            out += _int(state) + _float(0.5) + _int(state + 1) + _float(0.5)
        out += _int(-1) + _int(0)
    out += _token("</Topology>") + _token("<Triples>") + _int(sum(len(phone.pdfs) for phone in phones))
    for number, phone in zip(numbers, phones, strict=True):
        for state, pdf in enumerate(phone.pdfs):
            out += _int(number) + _int(state) + _int(pdf)
    out += _token("</Triples>") + _token("<LogProbs>")
    count = 2 * sum(len(phone.pdfs) for phone in phones)
    out += _vector(np.concatenate([[0.0], np.full(count, np.log(0.5))]))
    return out + _token("</LogProbs>") + _token("</TransitionModel>")


def _network(layers: Sequence[Layer]) -> bytes:
    spread = ", ".join(f"Offset(input, {one})" if one else "input" for one in SPREAD)
    lines, parts, before = [f"input-node name=input dim={CEPS}"], [], f"Append({spread})"
    for at, layer in enumerate(layers, 1):
        last = at == len(layers)
        after = ("softmax", "LogSoftmaxComponent") if last else ("relu", "RectifiedLinearComponent")
        linear, bend = f"layer{at}.affine", f"layer{at}.{after[0]}"
        lines += [f"component-node name={linear} component={linear} input={before}"]
        lines += [f"component-node name={bend} component={bend} input={linear}"]
        parts += [(linear, _affine(layer)), (bend, _bend(after[1], len(layer.bias)))]
        before = bend
    lines += [f"output-node name=output input={before} objective=linear"]
    out = b"<Nnet3> \n" + "".join(f"{line}\n" for line in lines).encode() + b"\n"
    out += _token("<NumComponents>") + _int(len(parts))
    for name, data in parts:
        out += _token("<ComponentName>") + _token(name) + data
    out += _token("</Nnet3>")
    sides = _token("<LeftContext>") + _int(-min(SPREAD)) + _token("<RightContext>") + _int(max(SPREAD))
    return out + sides


def _affine(layer: Layer) -> bytes:
    kind = "NaturalGradientAffineComponent"
    out = _token(f"<{kind}>") + _token("<LearningRate>") + _float(0.001)
    out += _token("<LinearParams>") + _matrix(layer.weights) + _token("<BiasParams>") + _vector(layer.bias)
    out += _token("<RankIn>") + _int(20) + _token("<RankOut>") + _int(80) + _token("<UpdatePeriod>") + _int(4)
    out += _token("<NumSamplesHistory>") + _float(2000.0) + _token("<Alpha>") + _float(4.0)
    return out + _token(f"</{kind}>")


def _bend(kind: str, size: int) -> bytes:
    out = _token(f"<{kind}>") + _token("<Dim>") + _int(size)
    nothing = _vector(np.zeros(0))
    out += _token("<ValueAvg>") + nothing + _token("<DerivAvg>") + nothing
    return out + _token("<Count>") + b"\x08" + struct.pack("<d", 0.0) + _token(f"</{kind}>")


def _token(name: str) -> bytes:
    return name.encode() + b" "


def _text(name: str) -> bytes:
    return struct.pack("<i", len(name)) + name.encode()


def _int(value: int) -> bytes:
    return b"\x04" + struct.pack("<i", value)


def _float(value: float) -> bytes:
    return b"\x04" + struct.pack("<f", value)


def _integers(values: Sequence[int]) -> bytes:
    return b"\x04" + struct.pack(f"<i{len(values)}i", len(values), *values)


def _vector(values: npt.NDArray[np.floating]) -> bytes:
    return b"FV " + _int(len(values)) + values.astype("<f4").tobytes()


def _matrix(values: npt.NDArray[np.floating]) -> bytes:
    return b"FM " + _int(values.shape[0]) + _int(values.shape[1]) + values.astype("<f4").tobytes()
