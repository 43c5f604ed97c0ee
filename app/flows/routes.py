"""REST: the voice menu, its versions, and everything that an editor asks while writing one."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Path

from app.auth.model import Permission
from app.errors import Busy
from app.flows import editing, service
from app.flows.file import lay_down
from app.flows.model import changes
from app.flows.shapes import (
    CheckedOut,
    MenuOut,
    NodeIn,
    PublishedOut,
    PublishIn,
    RestoreIn,
    SubjectOut,
    TextIn,
    TextOut,
    TriedOut,
    TryIn,
    VersionOut,
    WordsOut,
)
from app.flows.tables import FlowVersion
from app.flows.trying import tried
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import MOST
from ivr.interpreter import Facts
from ivr.model import OUTCOMES

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/flows", tags=["flows"])
Number = Annotated[int, Path(ge=0, le=MOST)]


@router.get("", operation_id="read_menu")
def read_menu(actor: ActorDep, web: WebDep) -> MenuOut:
    """What callers walk now, and every version."""
    with web.db.read() as session:
        now = service.held(session, actor, web.settings.home)
        rows = service.versions(session, actor)
    return MenuOut(**vars(now), versions=[VersionOut.of(row) for row in rows])


@router.get("/words", operation_id="menu_words")
def menu_words(actor: ActorDep, web: WebDep) -> WordsOut:
    """What nodes may say and ask."""
    actor.require(Permission.flows_read)
    words = service.words_of(web.settings.home)
    first = next(iter(words.languages.values()))
    prompts = {
        prompt: {code: recipe.text for code in words.languages if (recipe := words.find(code, prompt))}
        for prompt in first.prompts
    }
    subjects = [SubjectOut(of=str(of), outcomes=list(outcomes)) for of, outcomes in OUTCOMES.items()]
    return WordsOut(prompts=prompts, subjects=subjects, languages=list(words.languages))


@router.get("/versions/{number}", operation_id="read_menu_version")
def read_version(number: Number, actor: ActorDep, web: WebDep) -> TextOut:
    """The text of a version; 0 is what is below all of them."""
    with web.db.read() as session:
        return TextOut(text=service.text_of(session, actor, web.settings.home, number))


@router.post("/check", operation_id="check_menu")
def check_menu(body: TextIn, actor: ActorDep, web: WebDep) -> CheckedOut:
    """What is wrong with a text, what it looks like, and how it differs from what callers walk now."""
    seen = service.checked(actor, web.settings.home, body.text)
    differs = None
    if seen.outline is not None:
        with web.db.read() as session:
            now = service.held(session, actor, web.settings.home)
        differs = changes(service.drawn(now.text), seen.outline)
    return CheckedOut.of(seen, differs)


@router.post("/node", operation_id="change_menu_node")
def change_node(body: NodeIn, actor: ActorDep, web: WebDep) -> TextOut:
    """The text with one node changed, added or taken out; nothing is stored."""
    actor.require(Permission.flows_read)
    return TextOut(text=editing.with_node(body.text, body.id, body.body))


@router.post("/try", operation_id="try_menu")
def try_menu(body: TryIn, actor: ActorDep, web: WebDep) -> TriedOut:
    """A call by typed keys; nobody is called and nothing is stored."""
    facts = Facts(body.open, body.elderly, body.language)
    moments = tried(actor, web.settings.home, body.text, facts, body.typed, body.outcomes)
    return TriedOut(moments=moments, over=not (moments[-1].asks and moments[-1].given is None))


@router.post("/publish", operation_id="publish_menu", status_code=201)
def publish_menu(body: PublishIn, actor: ActorDep, web: WebDep) -> PublishedOut:
    """The text is what the next callers walk. 409 with the faults, or with who was faster."""
    return _laid_down(web, service.publish(web.db, actor, web.settings.home, body.after, body.text, body.note))


@router.post("/versions/{number}/restore", operation_id="restore_menu_version", status_code=201)
def restore_version(number: Number, body: RestoreIn, actor: ActorDep, web: WebDep) -> PublishedOut:
    """An older version is what the next callers walk."""
    return _laid_down(web, service.restore(web.db, actor, web.settings.home, body.after, number))


def _laid_down(web: Web, row: FlowVersion) -> PublishedOut:
    """It is stored; what cannot be written now is written by the worker, and an alarm is raised."""
    try:
        lay_down(web.db, web.settings)
    except (OSError, Busy) as error:
        log.error("a published menu is not laid down yet", version=row.number, why=type(error).__name__)
        return PublishedOut(version=VersionOut.of(row), laid_down=False)
    return PublishedOut(version=VersionOut.of(row), laid_down=True)
