"""Modals and App Home: who may open one, how deep they stack, and what happens when two change one at a time."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.playground.rig import Rig, home, modal, section


def trigger(rig: Rig, user: str = "U0SAM") -> str:
    return rig.playground.workspace.tickets.trigger(user)


def opened(rig: Rig, **more: Any) -> dict[str, Any]:
    view: dict[str, Any] = rig.client().views_open(trigger_id=trigger(rig), view=modal(**more))["view"]
    return view


def refused(rig: Rig, method: str, **given: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        rig.client().api_call(method, json=given)
    return str(error.value.response["error"])


def test_a_trigger_lives_three_seconds(rig: Rig) -> None:
    in_time, late = trigger(rig), trigger(rig)

    rig.clock.advance(3)
    assert rig.client().views_open(trigger_id=in_time, view=modal())["ok"]
    rig.clock.advance(0.1)
    assert refused(rig, "views.open", trigger_id=late, view=modal()) == "expired_trigger_id"


def test_a_trigger_opens_one_view(rig: Rig) -> None:
    once = trigger(rig)
    rig.client().views_open(trigger_id=once, view=modal())

    assert refused(rig, "views.open", trigger_id=once, view=modal()) == "exchanged_trigger_id"
    assert refused(rig, "views.open", trigger_id="1.2.made-up", view=modal()) == "invalid_trigger_id"


def test_a_view_with_a_mistake_opens_nothing(rig: Rig) -> None:
    assert refused(rig, "views.open", trigger_id=trigger(rig), view=modal(title=None)) == "invalid_arguments"
    assert rig.state()["views"] == []


def test_only_the_person_who_clicked_sees_the_view(rig: Rig) -> None:
    opened(rig)

    assert len(rig.state("U0SAM")["views"]) == 1
    assert rig.state("U0KIM")["views"] == []


def test_three_views_lie_on_each_other_and_no_fourth(rig: Rig) -> None:
    root = opened(rig)
    second = rig.client().views_push(trigger_id=trigger(rig), view=modal())["view"]
    third = rig.client().views_push(trigger_id=trigger(rig), view=modal())["view"]

    assert refused(rig, "views.push", trigger_id=trigger(rig), view=modal()) == "push_limit_reached"
    assert [view["id"] for view in rig.state()["views"]] == [root["id"], second["id"], third["id"]]
    assert (third["root_view_id"], third["previous_view_id"]) == (root["id"], second["id"])


def test_nothing_is_pushed_onto_nothing(rig: Rig) -> None:
    assert refused(rig, "views.push", trigger_id=trigger(rig), view=modal()) == "not_found"


def test_the_second_of_two_updates_conflicts(rig: Rig) -> None:
    view = opened(rig)

    first = rig.client().views_update(view_id=view["id"], hash=view["hash"], view=modal(section("first")))[
        "view"
    ]

    assert (
        refused(rig, "views.update", view_id=view["id"], hash=view["hash"], view=modal()) == "hash_conflict"
    )
    assert rig.client().views_update(view_id=view["id"], hash=first["hash"], view=modal())["ok"]


def test_a_view_is_found_by_the_apps_own_name(rig: Rig) -> None:
    opened(rig, external_id="resolve-7")

    assert rig.client().views_update(external_id="resolve-7", view=modal(section("new")))["ok"]
    assert refused(rig, "views.update", external_id="resolve-8", view=modal()) == "not_found"


def test_one_name_names_one_view(rig: Rig) -> None:
    opened(rig, external_id="resolve-7")
    named = modal(external_id="resolve-7")

    assert refused(rig, "views.open", trigger_id=trigger(rig), view=named) == "duplicate_external_ids"


def test_a_view_over_250_kb_is_refused(rig: Rig) -> None:
    big = modal(*[section("x" * 3000) for _ in range(90)])

    assert refused(rig, "views.open", trigger_id=trigger(rig), view=big) == "view_too_large"


def test_a_home_is_one_persons(rig: Rig) -> None:
    published = rig.client().views_publish(user_id="U0SAM", view=home(section("Sam's")))["view"]

    assert rig.state("U0SAM")["home"]["id"] == published["id"]
    assert rig.state("U0KIM")["home"] is None
    assert published["type"] == "home"


def test_a_home_published_again_keeps_its_id_and_minds_the_hash(rig: Rig) -> None:
    first = rig.client().views_publish(user_id="U0SAM", view=home())["view"]
    second = rig.client().views_publish(user_id="U0SAM", hash=first["hash"], view=home(section("new")))[
        "view"
    ]

    assert second["id"] == first["id"]
    assert second["hash"] != first["hash"]
    assert refused(rig, "views.publish", user_id="U0SAM", hash=first["hash"], view=home()) == "hash_conflict"
    assert refused(rig, "views.publish", user_id="U0NOBODY", view=home()) == "user_not_found"


def test_a_modal_is_no_home_and_a_home_no_modal(rig: Rig) -> None:
    assert refused(rig, "views.publish", user_id="U0SAM", view=modal()) == "invalid_arguments"
    assert refused(rig, "views.open", trigger_id=trigger(rig), view=home()) == "invalid_arguments"
