"""The imaginary problems that sample deliveries tell of, the same ones for every vendor."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with which component, in the words a monitoring tool would be set up with."""

    number: int
    component: str
    kind: str
    title: str
    metric: str
    above: bool = True
    threshold: str
    minutes: int
    unit: str
    value: str
    advice: str
    runbook: str
    environment: str = "production"

    @property
    def sign(self) -> str:
        return ">" if self.above else "<"

    @property
    def condition(self) -> str:
        return f"{self.metric} {self.sign} {self.threshold}{self.unit} for {self.minutes} min"


_KINDS: tuple[dict[str, Any], ...] = (
    {
        "kind": "cpu",
        "title": "High CPU on {}",
        "metric": "cpu.usage",
        "threshold": "85",
        "minutes": 5,
        "unit": "%",
        "value": "93",
        "advice": "Requests queue up once every core is busy. Look for a runaway query or a deployment in the last"
        " hour before you add capacity.",
    },
    {
        "kind": "memory",
        "title": "Memory is nearly used up on {}",
        "metric": "memory.usage",
        "threshold": "90",
        "minutes": 10,
        "unit": "%",
        "value": "96",
        "advice": "The kernel ends processes when memory runs out. Compare with the last deployment: a steady climb"
        " is a leak, a step is load.",
    },
    {
        "kind": "disk",
        "title": "Disk is filling up on {}",
        "metric": "disk.used",
        "threshold": "80",
        "minutes": 15,
        "unit": "%",
        "value": "88",
        "advice": "At the present rate the volume is full in about six hours. Rotate logs first, then grow the volume.",
    },
    {
        "kind": "network",
        "title": "Network errors on {}",
        "metric": "network.errors",
        "threshold": "50",
        "minutes": 5,
        "unit": "/s",
        "value": "212",
        "advice": "Dropped packets slow every client of this machine. Check the link's duplex setting and the switch"
        " port.",
    },
    {
        "kind": "uptime",
        "title": "{} does not answer",
        "metric": "uptime.success",
        "above": False,
        "threshold": "99",
        "minutes": 3,
        "unit": "%",
        "value": "41",
        "advice": "The health check fails from two locations. Check the process, then the load balancer's target"
        " group.",
    },
)
_ROLES = ("prod-db", "prod-api", "prod-web", "prod-queue", "prod-cache", "prod-search", "prod-auth")


def imagine(number: int) -> Problem:
    """Problem `number`; no two numbers share component and kind (7 roles and 5 kinds meet once in 35 numbers)."""
    kind = _KINDS[number % len(_KINDS)]
    component = f"{_ROLES[number % len(_ROLES)]}-{number // (len(_KINDS) * len(_ROLES)) + 1}"
    return Problem(
        **kind
        | {
            "number": number,
            "component": component,
            "title": kind["title"].format(component),
            "value": kind["value"] + kind["unit"],
            "runbook": f"https://runbooks.example.com/{kind['kind']}#{component}",
        }
    )
