"""What can go wrong at a workplace: each a clear sentence, nothing lost, no traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.secrets import profile_secrets
from tests.peers.asterisk import Asterisk
from tests.peers.pipewire import SoundCard
from tests.peers.pty import PtyDesk
from tests.timing import tell_if_slow
from tests.whole.conftest import Central, Until, Workplace, rests_since

ATTACH_S = 2.0
OUT_S = 2.0
SMALL = {"demo_people": 300}
SILENT = {"sound": "null", "simulated_first_seconds": 600.0}
RINGING = {"sound": "null", "simulated_first_seconds": 0.5, "simulated_next_seconds": 600.0}


def no_traceback(desk: PtyDesk) -> None:
    assert "Traceback" not in desk.screen_text()
    assert "Внутренняя ошибка" not in desk.screen_text()


def says(desk: PtyDesk, text: str) -> None:
    """Wait for a sentence, however it is wrapped."""
    desk.wait(lambda screen: text in " ".join(screen.split()), 40, text)


def to_the_surname(desk: PtyDesk) -> None:
    """The field stands first: what is typed ahead waits a second for that, and a busy machine may need longer."""
    desk.press("f6", "tab")
    desk.wait_quiet()


def to_the_promise(desk: PtyDesk) -> None:
    """The form «Отсроченный ответ себе» above the card."""
    desk.press("ctrl+z")
    desk.wait_text("Дела обращения")
    desk.type("ответ себе")
    desk.wait_gone("Уточняющие поля")
    desk.press("enter")
    desk.wait_text("Кого спросить")


def write_theme(desk: PtyDesk) -> None:
    desk.press("f6")
    desk.type("потер")
    desk.wait_text("Полис потерян")
    desk.press("enter")
    desk.wait_text("S-03")


def test_kill_9_in_a_call_loses_neither_the_call_nor_what_was_typed(workplace: Workplace, until: Until) -> None:
    workplace.configure(phone=RINGING, registry=SMALL)
    desk = workplace.desk()
    desk.wait_text("ВХОДЯЩИЙ ВЫЗОВ")
    desk.press("f2")
    desk.wait_text("РАЗГОВОР")
    desk.wait_text("Enter — прикрепить")
    to_the_surname(desk)
    log = workplace.profile.journal_file.with_name("journal.db-wal")
    began_ns = time.time_ns()
    desk.type("Крестовоздвиженский")
    desk.wait_text("Крестовоздвиженский")
    until(lambda: rests_since(began_ns, log), "the draft on disk")
    desk.kill()

    began = time.monotonic()
    again = workplace.desk()
    again.wait_text("РАЗГОВОР")
    took = time.monotonic() - began
    again.wait_text("Крестовоздвиженский")
    tell_if_slow("a new desk with its call", took, ATTACH_S)
    no_traceback(again)
    again.press("f4")
    again.wait_text("Постобработка")  # its card is not in the journal yet


def test_kill_9_in_a_form_above_a_running_talk_loses_neither_the_call_nor_its_text(
    workplace: Workplace, until: Until
) -> None:
    workplace.configure(phone=RINGING, registry=SMALL)
    desk = workplace.desk()
    desk.wait_text("ВХОДЯЩИЙ ВЫЗОВ")
    desk.press("f2")
    desk.wait_text("РАЗГОВОР")
    desk.wait_text("Enter — прикрепить")
    to_the_promise(desk)
    desk.press("down", "down")
    desk.wait_quiet()
    log = workplace.profile.journal_file.with_name("journal.db-wal")
    began_ns = time.time_ns()
    desk.type("Заболоцкую")
    desk.wait_text("Заболоцкую")
    until(lambda: rests_since(began_ns, log), "the form's text on disk")
    desk.kill()

    again = workplace.desk()
    again.wait_text("РАЗГОВОР")
    says(again, "Начатых форм: 1")
    assert "Заболоцкую" not in again.screen_text(), "call and card come first"
    to_the_promise(again)
    again.wait_text("Заболоцкую")
    again.wait_text("F5 — начать заново")
    no_traceback(again)
    again.press("escape")
    again.wait_text("РАЗГОВОР")
    again.press("f4")
    again.wait_text("Постобработка")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_desk_in_order_and_keeps_the_draft(workplace: Workplace, number: signal.Signals) -> None:
    workplace.configure(phone=SILENT, registry=SMALL)
    desk = workplace.desk()
    desk.wait_text("Реестр: на")
    desk.press("insert")
    desk.wait_text("Личная информация")
    to_the_surname(desk)
    desk.type("Заболоцкий")
    desk.wait_text("Заболоцкий")
    desk.signal(number)
    began = time.monotonic()
    assert desk.wait_exit() == 0
    tell_if_slow("the end of a desk by a signal", time.monotonic() - began, OUT_S)
    again = workplace.desk()
    again.wait_text("Заболоцкий")
    no_traceback(again)


def test_a_second_desk_is_refused_by_name(workplace: Workplace) -> None:
    workplace.configure(phone=SILENT, registry=SMALL)
    first = workplace.desk()
    first.wait_text("Реестр: на")
    second = workplace.desk()
    second.wait_text("Журнал уже открыт")
    second.wait_text(str(first.pid))
    second.press("enter")
    assert second.wait_exit() != 0
    no_traceback(first)


def test_a_wrong_journal_key_is_said_and_the_journal_is_left_alone(workplace: Workplace) -> None:
    workplace.configure(phone=SILENT, registry=SMALL)
    desk = workplace.desk()
    desk.wait_text("Реестр: на")
    desk.signal(signal.SIGTERM)
    desk.wait_exit()
    secrets = profile_secrets(workplace.profile)
    right = secrets.key("journal")
    secrets.set("journal", os.urandom(32))
    wrong = workplace.desk()
    wrong.wait_text("ключ к нему не подходит")
    no_traceback(wrong)
    wrong.press("enter")
    assert wrong.wait_exit() != 0
    profile_secrets(workplace.profile).set("journal", right)
    workplace.desk().wait_text("Реестр: на")


def test_a_typing_error_in_the_settings_names_the_line(workplace: Workplace) -> None:
    workplace.profile.settings_file.write_text('[phone]\nline = "sip\n', encoding="utf-8")
    desk = workplace.desk()
    assert desk.wait_exit() == 1
    assert "строке 2" in " ".join(desk.screen_text().split())
    no_traceback(desk)


def test_a_window_of_60_by_20_says_what_it_needs(workplace: Workplace) -> None:
    workplace.configure(phone=SILENT, registry=SMALL)
    desk = workplace.desk(rows=20, cols=60)
    desk.wait_text("слишком мало")
    desk.wait_text("80x24")
    desk.resize(24, 80)
    desk.wait_text("Реестр: на")
    no_traceback(desk)


def test_without_any_sound_the_desk_says_so_and_rings_by_text_and_bell(workplace: Workplace) -> None:
    workplace.configure(phone={**RINGING, "sound": "pyaudio"}, registry=SMALL)
    desk = workplace.desk()
    desk.wait_text("Звук недоступен")
    desk.wait_text("ВХОДЯЩИЙ ВЫЗОВ")
    desk.wait(lambda _: desk.bells >= 1, what="the bell")
    no_traceback(desk)


@pytest.mark.function("K-3.4", "K-3.5")
@pytest.mark.needs("pipewire", "sound")
def test_without_a_microphone_the_warning_is_the_manuals_and_the_rest_works(
    workplace: Workplace, sound_card: SoundCard
) -> None:
    (workplace.home / ".asoundrc").write_text(sound_card.asoundrc(microphone=False))
    workplace.configure(phone={**SILENT, "sound": "pyaudio"}, registry=SMALL)
    desk = workplace.desk()
    says(desk, "Без подключенного микрофона программный телефон работать не будет")
    desk.press("insert")
    desk.wait_text("Личная информация")
    no_traceback(desk)


@pytest.mark.needs("asterisk", "sound")
def test_a_wrong_sip_password_is_said_and_the_rest_works(workplace: Workplace, asterisk: Asterisk) -> None:
    line = asterisk.line("2001")
    names = ("line", "server", "extension", "net_interface", "sip_port", "rtp_ports", "codecs", "sound")
    workplace.configure(phone={name: getattr(line, name) for name in names}, registry=SMALL)
    workplace.keep_secret("sip", "wrong")
    desk = workplace.desk()
    desk.wait_text("Телефонная станция не приняла пароль")
    desk.wait_text("Телефон: ОТКАЗ")
    desk.press("insert")
    desk.wait_text("Личная информация")
    no_traceback(desk)


@pytest.fixture
def self_signed(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate nobody vouches for."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    assert ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return certificate, key


@pytest.mark.needs("postgresql")
def test_an_untrusted_server_gets_nothing_and_the_desk_works_on(
    workplace: Workplace, central: Central, self_signed: tuple[Path, Path], until: Until
) -> None:
    plain = {"url": central.url, "enrolment": central.enrolment_code("2001"), "poll_s": 0.3}
    workplace.configure(phone=SILENT, registry=SMALL, central=plain)
    desk = workplace.desk()
    desk.wait_text("Сервер: на связи")
    desk.signal(signal.SIGTERM)
    desk.wait_exit()
    central.kill()
    central.start(tls=self_signed)

    workplace.configure(phone=SILENT, registry=SMALL, central={"url": central.url, "poll_s": 0.3})
    desk = workplace.desk()
    desk.wait_text("Сертификат сервера")
    desk.wait_text("Сервер: ОТКАЗ")
    desk.press("insert")
    desk.wait_text("Личная информация")
    write_theme(desk)
    desk.press("ctrl+w")
    desk.wait_text("«В работе»")
    # What waits is counted when the next handshake has failed, which is after the card is saved.
    until(lambda: "Не отправлено: 0" not in desk.screen_text(), "what waits is counted")
    no_traceback(desk)
    desk.signal(signal.SIGTERM)
    desk.wait_exit()

    trusted = {"url": central.url, "poll_s": 0.3, "ca_file": str(self_signed[0])}
    workplace.configure(phone=SILENT, registry=SMALL, central=trusted)
    workplace.desk().wait_text("Не отправлено: 0")


@pytest.fixture
def small_disk(workplace: Workplace) -> Iterator[Path]:
    """The profile's data folder on a disk of 12 MB."""
    folder = workplace.profile.data
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", str(folder)], check=True)
    yield folder
    workplace.close()
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.needs("root")
def test_a_full_disk_keeps_what_was_typed_and_saves_when_there_is_room(workplace: Workplace, small_disk: Path) -> None:
    workplace.configure(phone=SILENT, registry=SMALL)
    desk = workplace.desk()
    desk.wait_text("Реестр: на")
    desk.press("insert")
    desk.wait_text("Личная информация")
    write_theme(desk)
    desk.wait_quiet(1.2)
    filler = small_disk / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(descriptor, b"\0" * 4096):
            pass
    os.close(descriptor)
    desk.press("ctrl+w")
    desk.wait_text("не осталось места")
    assert "Полис потерян" in desk.screen_text()
    no_traceback(desk)
    filler.unlink()
    desk.press("ctrl+w")
    desk.wait_text("«В работе»")
