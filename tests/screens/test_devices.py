"""«Устройства звука»: the microphone, the headphones and the bell are chosen at the desk, and the place remembers."""

from __future__ import annotations

from operator_tui.desk.devices import DeviceDesk
from operator_tui.desk.state import Topic
from operator_tui.phone.line import CallState, LineConfig, Sound
from screens.ask import AskScreen
from tests.screens.page import DeskPage, List, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET

FOUND = Sound(inputs=("встроенный", "гарнитура"), outputs=("колонки", "гарнитура"), input="встроенный", ring="колонки")


async def asked(desk: DeskPage, title: str) -> list[tuple[str, ...]]:
    await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and title in desk.text(), title)
    return List(desk, "#found").rows()


async def test_a_device_is_chosen_in_a_talk_and_the_place_remembers_it() -> None:
    async with open_desk() as desk:
        await answered(desk)
        desk.desk.change(Topic.PHONE, sound=FOUND)
        await desk.press("shift+f10")
        assert await asked(desk, "Устройства звука") == [
            ("1", "Микрофон: встроенный"), ("2", "Наушники: —"), ("3", "Звонок: колонки")
        ]  # fmt: skip
        await desk.type("2")
        await desk.press("enter")
        assert await asked(desk, "Наушники") == [
            ("1", "колонки"), ("2", "гарнитура"), ("3", "как в системе"), ("4", "как в настройках")
        ]  # fmt: skip
        await desk.type("гарн")
        await desk.press("enter")
        await desk.until(lambda: desk.notice.startswith("Наушники: гарнитура."), "what was done")
        assert desk.call_state() is CallState.TALKING
        config = await DeviceDesk(desk.desk).applied(LineConfig(input_device="set"))
        assert (config.input_device, config.output_device, config.ring_device) == ("set", "гарнитура", "")
        phone = desk.desk.phone.engine()
        assert phone._work is not None
        assert phone._work.config.output_device == "гарнитура", "an engine that is started anew is told"
        for text in ("{", '["a"]', '{"sip_port": "1"}'):
            (desk.desk.profile.data / "devices.json").write_text(text)
            assert await DeviceDesk(desk.desk).applied(LineConfig()) == LineConfig(), "and nothing else is read from it"


async def test_a_choice_of_the_place_is_taken_back_and_the_settings_hold_again() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        devices, settings = desk.desk.phone.devices, LineConfig(output_device="set", ring_device="horn")
        await devices.choose("ring", "колонки")
        await devices.choose("output", "")
        assert (await devices.applied(settings)).output_device == "", "the system's own, whatever the settings say"
        await desk.deaf()
        desk.desk.change(Topic.PHONE, sound=FOUND)
        await desk.press("shift+f10")
        await asked(desk, "Устройства звука")
        await desk.type("2")
        await desk.press("enter")
        await asked(desk, "Наушники")
        await desk.type("настройках")
        await desk.press("enter")
        await desk.until(lambda: desk.notice.startswith("Наушники: как в настройках."), "what was done")
        config = await devices.applied(settings)
        assert (config.output_device, config.ring_device) == ("set", "колонки"), "the other choice stays"


async def test_before_work_has_begun_there_is_nothing_to_choose_from_and_that_is_said() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await desk.desk.phone.end_work()
        await desk.press("shift+f10")
        await asked(desk, "Устройства звука")
        await desk.press("enter")
        await desk.until(lambda: desk.desk.state.notice.urgent and "Начало работы" in desk.notice, "why not")
