"""Lists of people in the exchange's formats: what is read, and what is said about what is wrong."""

from __future__ import annotations

import datetime
import struct
import warnings
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner, Result

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from operator_tui.registry.faults import Faults
from operator_tui.registry.index import Registry
from operator_tui.registry.lists import open_list, write_csv
from operator_tui.registry.people import Attachment, Person, Policy, Previous, Representative
from operator_tui.registry.records import people as read_people
from operator_tui.sentences import sentence

KEY = bytes(range(32))
ANNA = Person("2656240885900014", "Ёжикова", "Алёна", "Петровна", "1957-03-14", "f", "90000000182", "+78652099001")
MARIA = Person("2647999718900051", "Петрова-Водкина", "Мария", "", "2000-12-31", "f", "90000005900", "+78652099001")


def xml_of(*records: str, head: str = "") -> str:
    body = "".join(f"<PERS><N_ZAP>{place}</N_ZAP>{record}</PERS>\n" for place, record in enumerate(records, 1))
    return f'<?xml version="1.0" encoding="windows-1251"?>\n<ERZ>{head}\n{body}</ERZ>'


def xml_record(person: Person, extra: str = "") -> str:
    cells = {"ENP": person.enp, "SS": person.snils, "FAM": person.surname, "IM": person.name, "OT": person.patronymic,
             "DR": person.birth_date, "W": "2", "TEL": person.phone}  # fmt: skip
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in cells.items()) + extra


DBF_FIELDS = (("ENP", "C", 16), ("SS", "C", 14), ("FAM", "C", 40), ("IM", "C", 40), ("OT", "C", 40), ("DR", "D", 8),
              ("W", "N", 1), ("TEL", "C", 20), ("LAST_FAM", "C", 40))  # fmt: skip


def write_dbf(file: Path, people: list[Person], day: tuple[int, int, int] = (126, 1, 15)) -> None:
    """dBase III by its published layout: 32 bytes of header, 32 for each field, 0x0D, records behind a blank, 0x1A."""
    width = 1 + sum(length for _, _, length in DBF_FIELDS)
    raw = struct.pack("<B3BIHH20x", 3, *day, len(people), 33 + 32 * len(DBF_FIELDS), width)
    for name, kind, length in DBF_FIELDS:
        raw += struct.pack("<11sc4xB15x", name.encode(), kind.encode(), length)
    raw += b"\r"
    for one in people:
        last = one.previous[0].surname if one.previous else ""
        cells = (one.enp, one.snils, one.surname, one.name, one.patronymic, one.birth_date.replace("-", ""), "2",
                 one.phone, last)  # fmt: skip
        raw += b" " + b"".join(
            cell.encode("cp866").ljust(length) for cell, (_, _, length) in zip(cells, DBF_FIELDS, strict=True)
        )
    file.write_bytes(raw + b"\x1a")


def read(file: Path, kind: str) -> list[Person]:
    faults = Faults(file)
    found = list(read_people(open_list(file, kind), faults))
    assert faults.errors == 0, faults.listed
    return found


def refused(file: Path, kind: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        list(read_people(open_list(file, kind), Faults(file)))
    assert caught.value.code == Code.FILE_UNREADABLE
    assert file.name in sentence(caught.value)
    return caught.value


def load(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ("registry", "load", *arguments, "--db", str(folder / "registry.db")))


# --- the formats ----------------------------------------------------------------------------------------------------


def test_dbf_of_the_exchange(tmp_path: Path) -> None:
    file = tmp_path / "list.dbf"
    maria = Person(**{name: getattr(MARIA, name) for name in MARIA.__struct_fields__ if name != "more"},
                   more="\x1f\x1fИванова")  # fmt: skip
    write_dbf(file, [ANNA, maria])
    assert read(file, "dbf") == [ANNA, maria]
    assert open_list(file, "dbf").as_of == datetime.date(2026, 1, 15)


def test_xml_of_the_exchange(tmp_path: Path) -> None:
    file = tmp_path / "list.xml"
    extra = (
        "<POLIS><VPOLIS>С</VPOLIS><SPOLIS>07</SPOLIS><NPOLIS>123456</NPOLIS><DBEG>1999-05-06</DBEG>"
        "<DEND>2012-01-01</DEND><STATUS>НСД</STATUS><SMO>26991</SMO></POLIS>"
        "<POLIS><VPOLIS>П</VPOLIS><DBEG>2012-01-01</DBEG><STATUS>ДПП</STATUS><SMO>26992</SMO></POLIS>"
        "<PRIK><AREATYPE>1</AREATYPE><METHOD>2</METHOD><STATUS>ДПП</STATUS><DBEG>2015-02-03</DBEG><MO>260001</MO></PRIK>"
        "<LAST><FAM>Иванова</FAM><DEND>1980-06-07</DEND></LAST>"
        "<PRED><FIO>Ёжиков Пётр</FIO><TEL>+78652099002</TEL><CONSENT>1</CONSENT></PRED><TELEDOM>88652099003</TELEDOM>"
    )
    file.write_text(xml_of(xml_record(ANNA, extra), head="<ZGLV><DATA>2026-01-15</DATA></ZGLV>"), "windows-1251")
    source = open_list(file, "xml")
    (person,) = read_people(source, Faults(file))
    assert source.as_of == datetime.date(2026, 1, 15)
    assert person.surname == "Ёжикова"
    assert person.policies == (
        Policy("С", "07", "123456", "1999-05-06", "2012-01-01", "НСД", "26991"),
        Policy("П", "", "", "2012-01-01", "", "ДПП", "26992"),
    )
    assert person.attachments == (Attachment("1", "2", "ДПП", "2015-02-03", "", "260001"),)
    assert person.previous == (Previous("Иванова", until="1980-06-07"),)
    assert person.representative == Representative("Ёжиков Пётр", "+78652099002", "", "1")
    assert person.phones == ("+78652099001", "+78652099003")


def test_every_format_says_the_same(tmp_path: Path) -> None:
    write_csv(tmp_path / "list.csv", [ANNA, MARIA])
    text = (tmp_path / "list.csv").read_text(encoding="utf-8")
    (tmp_path / "old.csv").write_text(text, encoding="windows-1251")
    write_dbf(tmp_path / "list.dbf", [ANNA, MARIA])
    (tmp_path / "list.xml").write_text(xml_of(xml_record(ANNA), xml_record(MARIA)), encoding="windows-1251")
    for name, kind in (("list.csv", "csv"), ("old.csv", "csv"), ("list.dbf", "dbf"), ("list.xml", "xml")):
        assert read(tmp_path / name, kind) == [ANNA, MARIA], name


def test_the_whole_model_there_and_back(tmp_path: Path) -> None:
    more = "\x1f".join(
        ("+78652099005", "", "Иванова^Анна~Петрова", "П^^^2012-01-01^^ДПП^26991", "", "", MARIA.enp, "2020-01-01")
    )
    person = Person(ANNA.enp, "Ёжикова", "Алёна", "", "1957-03-14", "f", more=more)
    write_csv(tmp_path / "list.csv", [person])
    assert read(tmp_path / "list.csv", "csv") == [person]
    assert person.merged_with == MARIA.enp
    assert person.death_date == "2020-01-01"
    assert [old.surname for old in person.previous] == ["Иванова", "Петрова"]


# --- files that are broken ------------------------------------------------------------------------------------------


def test_a_dbf_cut_in_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "list.dbf"
    write_dbf(file, [ANNA] * 20)
    raw = file.read_bytes()
    for keep in (len(raw) // 2, len(raw) - 60, 40):
        file.write_bytes(raw[:keep])
        assert "обрывается" in str(refused(file, "dbf").params["reason"])
    file.write_bytes(raw[: len(raw) // 2])
    assert "строка 10:" in str(refused(file, "dbf").params["reason"])


def test_a_csv_cut_within_a_person(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    write_csv(file, [ANNA, MARIA])
    whole = file.read_bytes()
    for keep in (whole.rindex(MARIA.name.encode()) + 3, whole.rindex(MARIA.phone.encode()), len(whole) - 3):
        file.write_bytes(whole[:keep])
        assert refused(file, "csv").params["reason"] == "строка 3: файл обрывается"
    for sound in (whole, whole.rstrip(b"\n"), whole + b"\x1a", whole + b"\r\n"):
        file.write_bytes(sound)
        assert len(list(read_people(open_list(file, "csv"), Faults(file)))) == 2
    file.write_text("op;enp;surname;name;birth_date\nd;" + ANNA.enp, encoding="utf-8")
    open_list(file, "csv")


@pytest.mark.parametrize("content", [b"", b"\x03", b"enp;fam\n1;2\n", bytes(100)])
def test_what_is_no_dbf(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.dbf"
    file.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(file, "dbf")


def test_a_broken_xml_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "list.xml"
    whole = xml_of(*[xml_record(ANNA)] * 9)
    file.write_text(whole[: len(whole) // 2], encoding="windows-1251")
    assert "строка" in str(refused(file, "xml").params["reason"])
    file.write_text(whole.replace("</FAM>", "</FAN>", 1), encoding="windows-1251")
    assert "строка 3" in str(refused(file, "xml").params["reason"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a/>",
        b"<ERZ><PERS><X>1</X></PERS></ERZ>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a><PERS><FAM>&b;</FAM></PERS></a>',
        '<?xml version="1.0" encoding="utf-8"?><ERZ><PERS><FAM>Ёж</FAM></PERS></ERZ>'.encode("windows-1251"),
        b'<?xml version="1.0" encoding="klingon"?><ERZ/>',
    ],
)
def test_what_is_no_list_in_xml(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.xml"
    file.write_bytes(content)
    refused(file, "xml")


def test_csv_that_turns_into_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    write_csv(file, [ANNA] * 2000)
    with file.open("ab") as stream:
        stream.write("2647999718900051;;Петрова;Мария;;2000-12-31;f;\n".encode("windows-1251"))
    assert "строка" in str(refused(file, "csv").params["reason"])
    file.write_text("enp;surname;name;birth_date\n" + "я" * 20, encoding="utf-16")
    refused(file, "csv")


def test_names_of_another_code_page_are_faults(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes("enp;surname;name;birth_date\n2656240885900014;Ёжикова;Алёна;1957-03-14\n".encode("cp866"))
    faults = Faults(file)
    assert list(read_people(open_list(file, "csv"), faults)) == []
    assert {fault.field for fault in faults.listed} == {"surname", "name"}


# --- faults ---------------------------------------------------------------------------------------------------------

HEADER = "enp;snils;surname;name;patronymic;birth_date;sex;phone;policies;merged_with\n"
GOOD = "2656240885900014;900-000-001 82;Ёжикова;Алёна;Петровна;1957-03-14;f;8 (8652) 09-90-01;;\n"


def test_all_faults_of_a_record_in_the_shape_of_flk(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    bad = "2656240885900015;900-000-001 83;Ёж\x07икова;Алёна;;1957-13-14;x;0;П^^^вчера;12\n"
    file.write_text(HEADER + GOOD + bad + GOOD, encoding="utf-8")
    faults = Faults(file)
    assert len(list(read_people(open_list(file, "csv"), faults))) == 1
    assert {(fault.field, fault.code, fault.row) for fault in faults.listed} == {
        ("surname", 1, 3), ("enp", 2, 3), ("birth_date", 15, 3), ("sex", 2, 3), ("snils", 2, 3), ("phone", 2, 3),
        ("policies", 1, 3), ("merged_with", 2, 3), ("enp", 16, 4),
    }  # fmt: skip
    target = tmp_path / "faults.xml"
    faults.write(target)
    assert target.stat().st_mode & 0o777 == 0o600
    records = ElementTree.parse(target).getroot().findall("PR")
    assert len(records) == 9
    assert {child.tag for child in records[0]} == {"OSHIB", "IM_POL", "BAS_EL", "ID_BAS", "ROW", "COMMENT"}
    assert "икова" not in target.read_text(encoding="windows-1251")


def test_a_birth_date_that_the_enp_does_not_hide_is_only_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(HEADER + GOOD.replace("1957-03-14", "1957-03-15"), encoding="utf-8")
    faults = Faults(file)
    (person,) = read_people(open_list(file, "csv"), faults)
    assert (faults.errors, faults.warnings) == (0, 1)
    assert "Внимание" in person.warning


def test_faults_of_xml_name_their_record(tmp_path: Path) -> None:
    file = tmp_path / "list.xml"
    bad = xml_record(ANNA).replace("<FAM>Ёжикова</FAM><IM>Алёна</IM>", "<FAM/><IM/>")
    file.write_text(xml_of(xml_record(MARIA), bad), encoding="windows-1251")
    faults = Faults(file)
    list(read_people(open_list(file, "xml"), faults))
    (fault,) = (fault for fault in faults.listed if fault.code)
    assert (fault.field, fault.base, fault.ident) == ("FAM", "PERS", "2")


# --- the command ----------------------------------------------------------------------------------------------------


def test_a_list_with_faults_changes_nothing_unless_they_may_be_skipped(tmp_path: Path) -> None:
    write_csv(tmp_path / "good.csv", [MARIA])
    assert load(tmp_path, "--csv", str(tmp_path / "good.csv")).exit_code == 0
    bad = tmp_path / "bad.csv"
    bad.write_text(HEADER + GOOD + GOOD, encoding="utf-8")
    report = tmp_path / "faults.csv"
    before = (tmp_path / "registry.db").readlink()
    result = load(tmp_path, "--csv", str(bad), "--errors", str(report))
    assert isinstance(result.exception, Refusal)
    assert result.exception.code == Code.REGISTRY_FAULTS
    said = sentence(result.exception)
    assert "строка 3" in said
    assert "ЕНП" in said
    assert report.read_text(encoding="utf-8").splitlines()[1].startswith("16;enp;ROW;3;3;")
    assert (tmp_path / "registry.db").readlink() == before

    result = load(tmp_path, "--csv", str(bad), "--skip-errors")
    assert result.exit_code == 0
    assert "Загружено: 1 " in result.output
    assert "Пропущено неверных записей: 1" in result.stderr


@pytest.mark.parametrize("kind", ["csv", "dbf", "xml"])
def test_the_old_generation_serves_after_a_broken_file(tmp_path: Path, kind: str) -> None:
    write_csv(tmp_path / "good.csv", [MARIA])
    load(tmp_path, "--csv", str(tmp_path / "good.csv"))
    broken = tmp_path / f"broken.{kind}"
    broken.write_bytes(b"\x00 broken")
    result = load(tmp_path, f"--{kind}", str(broken))
    assert isinstance(result.exception, Refusal)
    assert str(broken.name) in sentence(result.exception)
    key = bytes.fromhex((tmp_path / "registry.db.key").read_text())
    registry = Registry.open(tmp_path / "registry.db", key)
    assert registry.search("водкина").hits
    registry.close()


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    write_csv(tmp_path / "list.csv", [ANNA, MARIA])
    result = load(tmp_path, "--csv", str(tmp_path / "list.csv"), "--dry-run")
    assert result.exit_code == 0
    assert "Проверено: 2 человек" in result.output
    assert sorted(file.name for file in tmp_path.iterdir()) == ["list.csv"]


@pytest.mark.parametrize("arguments", [(), ("--csv", "x", "--xml", "y")])
def test_exactly_one_list(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    for name in ("x", "y"):
        write_csv(tmp_path / name, [ANNA])
    paths = [str(tmp_path / word) if len(word) == 1 else word for word in arguments]
    assert load(tmp_path, *paths).exit_code == 2
