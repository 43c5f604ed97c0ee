"""REST: campaigns."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, UploadFile
from fastapi.responses import Response

from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.campaigns import results, service, sounds, targets
from app.campaigns.model import EDITABLE, CampaignAct, CampaignState
from app.campaigns.shapes import (
    CampaignEdit,
    CampaignFilter,
    CampaignIn,
    CampaignOut,
    CaseSelection,
    FromCasesOut,
    Heard,
    Language,
    ResultsOut,
    TargetFilter,
    TargetOut,
)
from app.campaigns.tables import Campaign
from app.db import found
from app.destinations import Destinations
from app.errors import NotFound, Refused
from app.http.context import ActorDep, Web, WebDep
from app.http.files import file_response
from app.http.schema import Id, PageOf
from app.http.tables import CSV, TableOutcome, table

router = APIRouter(prefix="/api/campaigns", tags=["calling out"])
SOUND: dict[str, Any] = {"content": {"audio/wav": {}}}
AUDIO: dict[int | str, dict[str, Any]] = {200: SOUND, 206: SOUND, 416: {}}


@router.get("", operation_id="list_campaigns")
def list_campaigns(actor: ActorDep, web: WebDep, filters: Annotated[CampaignFilter, Query()]) -> PageOf[CampaignOut]:
    """Campaigns, those that run first."""
    with web.db.read() as session:
        page = service.list_campaigns(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [CampaignOut(**service.as_json(session, row)) for row in page.items])


@router.post("", operation_id="create_campaign", status_code=201)
def create_campaign(body: CampaignIn, actor: ActorDep, web: WebDep) -> CampaignOut:
    """A new draft."""
    with web.db.session() as session:
        return CampaignOut(**service.as_json(session, service.create(session, actor, body.wanted())))


@router.get("/blank", operation_id="blank_campaign_table", response_class=Response, responses=CSV)
def blank_campaign_table(actor: ActorDep) -> Response:
    """An empty table with the heads that a list is read from."""
    return table("numbers", targets.blank(actor))


@router.get("/{campaign_id}", operation_id="get_campaign")
def get_campaign(campaign_id: Id, actor: ActorDep, web: WebDep) -> CampaignOut:
    """One campaign."""
    with web.db.read() as session:
        return CampaignOut(**service.as_json(session, service.get(session, actor, campaign_id)))


@router.patch("/{campaign_id}", operation_id="change_campaign")
def change_campaign(campaign_id: Id, body: CampaignEdit, actor: ActorDep, web: WebDep) -> CampaignOut:
    """Change it while it does not run; 409 with what is stored when somebody else has changed it since."""
    with web.db.session() as session:
        row = service.change(session, actor, campaign_id, body.version, body.wanted())
        return CampaignOut(**service.as_json(session, row))


@router.post("/{campaign_id}/start", operation_id="start_campaign")
def start_campaign(campaign_id: Id, actor: ActorDep, web: WebDep) -> CampaignOut:
    """Speak its texts and begin to call; started twice it runs once."""
    return _act(campaign_id, CampaignAct.start, actor, web)


@router.post("/{campaign_id}/pause", operation_id="pause_campaign")
def pause_campaign(campaign_id: Id, actor: ActorDep, web: WebDep) -> CampaignOut:
    """Begin no more calls; those on their way go on."""
    return _act(campaign_id, CampaignAct.pause, actor, web)


@router.post("/{campaign_id}/stop", operation_id="stop_campaign")
def stop_campaign(campaign_id: Id, actor: ActorDep, web: WebDep) -> CampaignOut:
    """End it for good."""
    return _act(campaign_id, CampaignAct.stop, actor, web)


@router.get("/{campaign_id}/targets", operation_id="list_campaign_targets")
def list_campaign_targets(
    campaign_id: Id, actor: ActorDep, web: WebDep, filters: Annotated[TargetFilter, Query()]
) -> PageOf[TargetOut]:
    """Its list."""
    with web.db.read() as session:
        page = targets.list_targets(session, actor, campaign_id, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [TargetOut(**row) for row in targets.as_rows(session, actor, page.items)])


@router.post("/{campaign_id}/targets/table", operation_id="import_campaign_targets")
def import_campaign_targets(
    campaign_id: Id, file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True
) -> TableOutcome:
    """Numbers from a table: tried only, or written when nothing is wrong with any row."""
    allowed = Destinations.of(web.settings)
    return TableOutcome.of(targets.from_table(web.db, actor, campaign_id, file.file.read(), allowed, dry_run=dry_run))


@router.post("/{campaign_id}/targets/cases", operation_id="select_campaign_targets")
def select_campaign_targets(campaign_id: Id, body: CaseSelection, actor: ActorDep, web: WebDep) -> FromCasesOut:
    """The callers of the cases that a search finds."""
    wanted = body.wanted()
    dry_run = bool(wanted.pop("dry_run", True))
    told = targets.from_cases(
        web.db, actor, campaign_id, wanted, Destinations.of(web.settings), web.settings.zone, dry_run=dry_run
    )
    return FromCasesOut(**asdict(told))


@router.get("/{campaign_id}/results", operation_id="get_campaign_results")
def get_campaign_results(campaign_id: Id, actor: ActorDep, web: WebDep) -> ResultsOut:
    """What came of it so far."""
    with web.db.read() as session:
        return ResultsOut(**results.results(session, actor, campaign_id))


@router.post("/{campaign_id}/export", operation_id="export_campaign", response_class=Response, responses=CSV)
def export_campaign(campaign_id: Id, actor: ActorDep, web: WebDep) -> Response:
    """Its list with what came of each number, as far as the asker may see each."""
    return table(*results.export(web.db, actor, campaign_id, web.settings.zone))


@router.put("/{campaign_id}/recordings/{language}", operation_id="set_campaign_recording")
def set_campaign_recording(
    campaign_id: Id, language: Language, file: UploadFile, actor: ActorDep, web: WebDep
) -> CampaignOut:
    """A recording (WAV) that takes the place of the message in one language."""
    with web.db.read() as session:
        actor.require(Permission.campaigns_write)
        version = _editable(service.get(session, actor, campaign_id)).version
    kept = sounds.take_recording(web.settings, campaign_id, language, version, file.file.read())
    return _recorded(campaign_id, language, kept, actor, web)


@router.delete("/{campaign_id}/recordings/{language}", operation_id="remove_campaign_recording")
def remove_campaign_recording(campaign_id: Id, language: Language, actor: ActorDep, web: WebDep) -> CampaignOut:
    """The message is spoken again."""
    return _recorded(campaign_id, language, "", actor, web)


@router.post("/{campaign_id}/spoken", operation_id="hear_campaign", response_class=Response, responses=AUDIO)
def hear_campaign(campaign_id: Id, body: Heard, request: Request, actor: ActorDep, web: WebDep) -> Response:
    """A part of it as the called person hears it."""
    with web.db.read() as session:
        row = service.get(session, actor, campaign_id)
    if body.language not in row.texts:
        raise NotFound()
    if body.part == "message" and body.language in row.recordings:
        sound = web.settings.home / str(row.recordings[body.language])
    else:
        words = sounds.words_of(row, body.language).get(body.part)
        if words is None:
            raise NotFound()
        sound = web.speak(words, body.language)
    return file_response(request, sound, "audio/wav", etag=sound.stem)


def _act(campaign_id: int, what: CampaignAct, actor: ActorDep, web: Web) -> CampaignOut:
    row = service.act(web.db, actor, campaign_id, what, settings=web.settings, speak=web.speak)
    with web.db.read() as session:
        return CampaignOut(**service.as_json(session, row))


def _editable(row: Campaign) -> Campaign:
    if CampaignState(row.state) not in EDITABLE:
        raise Refused("运行中的任务请先暂停再修改。", "Pause the campaign before changing it.", code="wrong_state")
    return row


def _recorded(campaign_id: int, language: str, kept: str, actor: ActorDep, web: Web) -> CampaignOut:
    actor.require(Permission.campaigns_write)
    with web.db.session() as session:
        row = _editable(found(session, Campaign, campaign_id, lock=True))
        row.recordings = {name: file for name, file in {**row.recordings, language: kept}.items() if file}
        row.version, row.sounds = row.version + 1, {}
        write(session, actor, Action.campaign_changed, f"campaign:{row.id}", {"recording": language})
        return CampaignOut(**service.as_json(session, row))
