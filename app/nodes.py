"""Further Asterisk nodes of one hotline: what an instance must know of each of the others."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

# Ids of channels that we make begin with these words where others begin with a node's name.
_TAKEN = frozenset({"agent", "third"})
LONGEST_OF_SEVERAL = 16
"""An offer is one extension of at most 79 characters, and names the node at which the telephone is registered."""
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?")


def node_name(value: str) -> str:
    """The value if it can name a node. Raises ValueError."""
    if not re.fullmatch(r"[a-z0-9]{1,32}", value) or value in _TAKEN:
        raise ValueError("node must be 1 to 32 small letters and digits, not agent or third: it begins every call id")
    return value


def host_and_port(value: str, what: str) -> str:
    """The value if it is a host, perhaps with a port: it is written into a configuration file. Raises ValueError."""
    if not _HOST.fullmatch(value):
        raise ValueError(f"{what} is a host, perhaps with :port")
    return value


class Node(BaseModel):
    """One other Asterisk of the same hotline, with a core in common.

    `sip`: host[:port] to which calls between nodes go and from which they come. `ami_host` is the same host unless
    given. `ami_secret`: a file like `secrets/ami`; without one the instance's own `secrets/ami` is that of all nodes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sip: str
    ami_host: str = ""
    ami_port: Annotated[int, Field(ge=1, le=65535)] = 5038
    ami_secret: Path | None = None

    @field_validator("name")
    @classmethod
    def _plain_word(cls, value: str) -> str:
        return node_name(value)

    @field_validator("sip")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        return host_and_port(value, "sip of a node")

    @property
    def sip_host(self) -> str:
        """The host of `sip`, an IPv6 address without its brackets."""
        found = _HOST.fullmatch(self.sip)
        assert found is not None
        return found["host"].strip("[]")

    @property
    def manager(self) -> tuple[str, int]:
        """Where its manager line (AMI) listens."""
        return self.ami_host or self.sip_host, self.ami_port


def check_nodes(own: str, nodes: list[Node], trunks: list[str]) -> None:
    """Raises ValueError for nodes that could not be told apart from each other, from us, or from the carrier."""
    names = [own, *(node.name for node in nodes)]
    if len(set(names)) < len(names):
        raise ValueError(f"two nodes have one name: {', '.join(names)}")
    if nodes and (long := [name for name in names if len(name) > LONGEST_OF_SEVERAL]):
        raise ValueError(f"{long[0]}: with several nodes a name has at most {LONGEST_OF_SEVERAL} characters")
    hosts = [node.sip_host for node in nodes]
    if len(set(hosts)) < len(hosts):
        raise ValueError("two nodes have one sip host: calls between nodes are known by the address they come from")
    for host in hosts:
        try:
            address = ip_address(host)
        except ValueError:
            continue
        if any(address in ip_network(trunk, strict=False) for trunk in trunks):
            raise ValueError(f"{host} is both a node's and one of trunk_addresses: its calls would pass for citizens'")
