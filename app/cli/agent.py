"""`hotline agent`: people who take calls, and their telephones."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.output import Failure, out, settings

app = typer.Typer(help="People who take calls.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """People who take calls."""


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The agent's name.")],
    number: Annotated[
        str, typer.Option("--number", help="The staff number (工号); the next free one by default.")
    ] = "",
    skills: Annotated[str, typer.Option(help="Skills with levels 1 to 5, for example zh:5,yue:3.")] = "zh:5",
    queues: Annotated[str, typer.Option(help="Queues, separated by commas.")] = "general",
    user: Annotated[str, typer.Option(help="The name to sign in with; the staff number by default.")] = "",
    may_dial_out: Annotated[bool, typer.Option("--may-dial-out", help="May call any number.")] = False,
    password: Annotated[
        str, typer.Option(envvar="HOTLINE_NEW_PASSWORD", help="A password of your own; by default a one-time one.")
    ] = "",
) -> None:
    """Add an agent with a sign-in and a telephone; prints what the telephone has to be told."""
    from app.agents.service import create_agent
    from app.cli.database import open_database
    from app.phones import publish
    from app.supervisor.plan import manager_answers

    try:
        levels = {key.strip(): int(level or 5) for key, _, level in (item.partition(":") for item in skills.split(","))}
    except ValueError:
        raise Failure(f"these are no skills: {skills}", "write them as zh:5,yue:3", 2) from None
    chosen = settings()
    database = open_database(chosen)
    made = create_agent(
        database,
        name=name,
        agent_id=number or None,
        skills=levels,
        queues=tuple(queue.strip() for queue in queues.split(",") if queue.strip()),
        user_name=user or None,
        may_dial_out=may_dial_out,
        password=password or None,
    )
    # A hotline that does not run reads the accounts at its next start.
    known = manager_answers(chosen.ami_host, chosen.ami_port) and publish(chosen, database)
    agent = made.agent
    show = out().print
    show(f"staff number: {agent.agent_id}   sign in as {made.user_name}")
    if made.one_time_password:
        show(f"password:     {made.one_time_password}   (once)")
    show("")
    show("A SIP telephone for this agent needs:")
    show(f"  server    {chosen.sip_host}:{chosen.sip_port} (UDP or TCP), {chosen.sip_host}:{chosen.sip_tls_port} (TLS)")
    show(f"  user      {agent.agent_id}")
    show(f"  password  {agent.phone_secret}")
    show("The browser's own telephone needs nothing: sign in and press 开始上班.")
    if not known:
        show("The hotline is not running; the telephone can register once it is.")


@app.command("publish")
def publish_phones() -> None:
    """Tell this machine's Asterisk about all telephones: on a further node, after agents were added elsewhere."""
    from app.cli.database import open_database
    from app.phones import publish

    chosen = settings()
    known = publish(chosen, open_database(chosen))
    out().print("Asterisk has read the telephones." if known else "written; Asterisk reads them when it starts")
