"""Federal registers of insurers and medical organisations: taken by code, refused with the record that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.reference_forms import LISTS
from operator_tui.reference import packaged_catalogue
from operator_tui.registry.federal import Register, read_register
from operator_tui.sentences import sentence

INSURERS = """<?xml version="1.0" encoding="windows-1251"?>
<packet><zglv><type>F002</type><date>01.11.2026</date></zglv>
<insCompany><tf_okato>07000</tf_okato><smocod>26003</smocod><nam_smop>Общество «Пример-Полис»</nam_smop>
<nam_smok>Пример-Полис</nam_smok><jurAddress><index_j>355000</index_j><addr_j>г. Ставрополь, ул. Примерная, 1</addr_j>
</jurAddress><phone>+78652000001</phone><hot_line>+78652000002</hot_line>
<insInclude><d_begin>01.01.2020</d_begin><d_end/></insInclude></insCompany>
<insCompany><smocod>77001</smocod><nam_smop>Чужой регион</nam_smop><nam_smok>Чужой</nam_smok></insCompany>
</packet>
"""
CLINICS = """<?xml version="1.0" encoding="windows-1251"?>
<packet><ZAP><UIDMO>26000000001</UIDMO><MCOD>260001</MCOD><OSP>false</OSP><NAM_MOP>Поликлиника № 1 полностью</NAM_MOP>
<NAM_MOK>Поликлиника № 1</NAM_MOK><JURADDRESS_ADDRESS>г. Ставрополь</JURADDRESS_ADDRESS><DATEBEG>01.01.2010</DATEBEG>
<DATEEND>31.12.2015</DATEEND></ZAP>
<ZAP><MCOD>260001</MCOD><OSP>0</OSP><NAM_MOP>Поликлиника № 1 заново</NAM_MOP><NAM_MOK>Поликлиника № 1</NAM_MOK>
<DATEBEG>2016-01-01</DATEBEG></ZAP>
<ZAP><MCOD>260001</MCOD><OSP>1</OSP><NAM_MOP>Филиал</NAM_MOP><NAM_MOK>Филиал</NAM_MOK></ZAP></packet>
"""


def written(folder: Path, text: str, encoding: str = "cp1251") -> Path:
    file = folder / "F.xml"
    file.write_bytes(text.encode(encoding))
    return file


def refused(file: Path, register: Register) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_register(file, register, "26")
    assert "Прежние данные не изменены" in sentence(caught.value)
    return caught.value


def test_insurers_of_the_region_as_rows_of_the_list(tmp_path: Path) -> None:
    rows = read_register(written(tmp_path, INSURERS), Register.F002, "26")
    assert rows == {
        "26003": {
            "code": "26003", "kind": "insurer", "title": "Общество «Пример-Полис»", "short": "Пример-Полис",
            "address": "г. Ставрополь, ул. Примерная, 1", "phone": "+78652000002", "begins": "2020-01-01", "ends": "",
        }
    }  # fmt: skip
    LISTS["organisations"].demand("26003", rows["26003"], packaged_catalogue().reference)


def test_of_several_records_the_one_in_force_counts_and_parts_are_left_out(tmp_path: Path) -> None:
    rows = read_register(written(tmp_path, CLINICS), Register.F032, "26")
    assert list(rows) == ["260001"]
    assert (rows["260001"]["kind"], rows["260001"]["begins"]) == ("clinic", "2016-01-01")


@pytest.mark.parametrize(
    ("old", "new", "row", "field"),
    [
        ("<smocod>77001", "<smocod>7700", 2, "SMOCOD"),
        ("<smocod>26003", "<smocod>2600A", 1, "SMOCOD"),
        ("01.01.2020", "01.13.2020", 1, "D_BEGIN"),
    ],
)
def test_a_broken_record_is_named(tmp_path: Path, old: str, new: str, row: int, field: str) -> None:
    refusal = refused(written(tmp_path, INSURERS.replace(old, new)), Register.F002)
    assert (refusal.code, refusal.params["row"], refusal.params["field"]) == (Code.ROW_INVALID, row, field)
    assert f"строка {row}" in sentence(refusal)


@pytest.mark.parametrize(
    "text",
    [
        INSURERS[:-200],
        "<packet></packet>",
        "",
        "не XML",
        INSURERS.replace("<packet>", '<!DOCTYPE p [<!ENTITY a "b">]><packet>'),
        INSURERS.replace("windows-1251", "utf-8"),
    ],
)
def test_a_file_of_something_else_changes_nothing(tmp_path: Path, text: str) -> None:
    assert refused(written(tmp_path, text), Register.F002).code is Code.FILE_UNREADABLE


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "F002.xml", Register.F002).code is Code.FILE_UNREADABLE
