"""Searching as Koreans type, and orders and texts that stay right while they change."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from inventory_cast import ADMIN, OF_GANGNAM, guest, make_directory
from pharmq.base.clock import ManualClock
from pharmq.hosts.model import Pharmacy
from pharmq.inventory.diff import new_vm
from pharmq.inventory.hangul import compose, from_keys, initials, normal, to_keys, typed_initials
from pharmq.inventory.model import VmFilter
from pharmq.inventory.order import Order, natural
from pharmq.inventory.query import parse
from pharmq.inventory.rules import Kinds
from pharmq.inventory.selection import Selector
from pharmq.inventory.standing import Standings
from pharmq.inventory.texts import Texts
from pharmq.inventory.view import View


@pytest.fixture
def selector() -> Selector:
    clock = ManualClock()
    directory = make_directory()
    view = View(directory)
    found = []
    guests = (
        (1, 100, "POS-1", "running", "192.168.0.10", "pos"),
        (1, 101, "키오스크-1", "stopped", None, "kiosk;win"),
        (2, 100, "POS-1", "running", "192.168.0.11", ""),
        (3, 300, "백업서버", "paused", "10.1.1.1", ""),
    )
    for number, (host_id, vmid, name, status, ip, tags) in enumerate(guests, 1):
        vm = new_vm(host_id, guest(vmid, name, status, tags=tags), clock.now(), Kinds())
        found.append(replace(vm, id=number, ip=ip, ip_source="agent" if ip else None))
    view.take(found)
    return Selector(directory, view, Standings(directory, view, clock))


def vms(selector: Selector, text: str) -> set[int]:
    return set(selector.ids(ADMIN, VmFilter(q=text)) or ())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ㄱㄴㅇㄴ", {1, 2}),
        ("강남", {1, 2}),
        ("강ㄴ", {1, 2}),
        ("강나", {1, 2}),
        ("rkdska", {1, 2}),
        ("rsds", {1, 2}),
        ("1234", {1, 2}),
        ("02-555-1234", {1, 2}),
        ("9876", {3, 4}),
        ("P002", {3, 4}),
        ("부산", {3, 4}),
        ("pos", {1, 3}),
        ("ㅔㅐㄴ", {1, 3}),
        ("POS-1", {1, 3}),
        ("pos1 해운대", {3}),
        ("키오스크", {2}),
        ("ㅋㅇㅅㅋ", {2}),
        ("192.168.0.1", {1, 3}),
        ("10.0.0.3", {4}),
        ("100", {1, 3}),
        ("win", {2}),
        ("약국:강남", {1, 2}),
        ("pharmacy:강남 유형:pos", {1}),
        ("약국: 강남 상태:중지", {2}),
        ("상태:실행", {1, 3}),
        ("status:suspended", {4}),
        ("유형:백업", {4}),
        ("태그:win", {2}),
        ("ip:10.1", {4}),
        ("상태:없는말", set()),
        ("상태:오프라인", set()),
        ("없는약국이름", set()),
        ("---", set()),
        ('약국:"강남 온누리"', {1, 2}),
    ],
)
def test_what_is_found(selector: Selector, text: str, found: set[int]) -> None:
    assert vms(selector, text) == found


def test_typed_double_consonants_are_split() -> None:
    assert typed_initials("ㄳ") == "ㄱㅅ"
    assert typed_initials("ㅂㄳㄴ") == "ㅂㄱㅅㄴ"
    assert typed_initials("강ㄴ") is None
    assert typed_initials("") is None


def test_the_search_box_ranks_pharmacies_first_and_counts_all(selector: Selector) -> None:
    hits, total = selector.search(ADMIN, "강남", 2)
    assert (hits[0].type, hits[0].title, total) == ("pharmacy", "강남온누리약국", 3)
    assert len(hits) == 2
    assert [hit.type for hit in selector.search(ADMIN, "상태:실행", 9)[0]] == ["vm", "vm"]
    assert [hit.title for hit in selector.search(ADMIN, "ip:10.0.0.2", 9)[0]][:1] == ["10.0.0.2"]
    assert selector.search(ADMIN, "  ", 9) == ([], 0)
    mine, count = selector.search(OF_GANGNAM, "pos", 9)
    assert ([hit.id for hit in mine], count) == ([1], 1)
    assert selector.search(OF_GANGNAM, "해운대", 9) == ([], 0)


def test_a_renamed_pharmacy_is_found_by_its_new_name_only(selector: Selector) -> None:
    selector.directory.put_pharmacy(Pharmacy(1, "P001", "서초새봄약국", group_ids=(1,)))
    assert (vms(selector, "강남온누리"), vms(selector, "새봄")) == (set(), {1, 2})
    selector.directory.drop_host(1)
    assert vms(selector, "새봄") == set()


def test_filters_are_alternatives_within_and_all_across(selector: Selector) -> None:
    def ids(**wanted: tuple[object, ...]) -> set[int]:
        found = selector.ids(ADMIN, VmFilter(**wanted))  # type: ignore[arg-type]
        return set(selector.view.all_ids() if found is None else found)

    assert ids() == {1, 2, 3, 4}
    assert ids(status=("running", "stopped")) == {1, 2, 3}
    assert ids(status=("running",), pharmacy_id=(1,)) == {1}
    assert ids(group_id=(1, 77)) == {1, 2}
    assert ids(group_id=(77,)) == set()
    assert ids(tag=("WIN",)) == {2}
    assert ids(type=("backup", "kiosk")) == {2, 4}
    assert ids(host_status=("online",)) == {1, 2, 3, 4}
    assert ids(host_id=(2**70,)) == set()


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("pharmacy", [1, 2, 3, 4]),
        ("-pharmacy", [4, 3, 2, 1]),
        ("attention", [2, 4, 1, 3]),
        ("vm_name", [1, 3, 4, 2]),
        ("vmid", [1, 3, 2, 4]),
        ("status", [1, 3, 4, 2]),
        ("ip", [4, 1, 3, 2]),
        ("type", [4, 2, 1, 3]),
    ],
)
def test_sorted_pages(selector: Selector, sort: str, order: list[int]) -> None:
    view = selector.view
    assert view.page(None, sort, 10, 0) == order
    assert view.page(view.all_ids(), sort, 2, 1) == order[1:3]
    assert view.page({order[0], order[3]}, sort, 10, 0) == [order[0], order[3]]
    assert view.page(None, sort, 10, 9) == []


syllables = st.text(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")), min_size=1, max_size=6)


@given(syllables)
def test_every_word_typed_on_the_other_layout_is_understood(text: str) -> None:
    keys = to_keys(text)
    assert keys is not None
    assert from_keys(keys) == text


@given(syllables)
def test_initials_have_one_letter_per_syllable(text: str) -> None:
    assert typed_initials(initials(text)) == initials(text)
    assert len(initials(text)) == len(text)


@given(st.text(max_size=60))
def test_any_text_is_a_query(text: str) -> None:
    query = parse(text)
    assert len(query.words) <= 8
    for word in query.words:
        normal(word)
        compose(word)


@given(st.lists(st.tuples(st.sampled_from(["ab", "abc", "bc", "cd", "강남"]), st.integers(1, 5), st.booleans())))
def test_texts_find_what_is_there(steps: list[tuple[str, int, bool]]) -> None:
    texts = Texts()
    model: dict[str, set[int]] = {}
    for text, number, adding in steps:
        if adding:
            texts.add(text, number)
            model.setdefault(text, set()).add(number)
        else:
            texts.remove(text, number)
            model.get(text, set()).discard(number)
        for needle in ("b", "bc", "남", "x"):
            expected = {text: ids for text, ids in model.items() if needle in text and ids}
            assert dict(texts.find(needle)) == expected


def test_texts_find_what_is_there_among_many() -> None:
    texts = Texts()
    for number in range(3000):
        texts.add(f"host-{number}", number)
    for number in range(0, 3000, 2):
        texts.remove(f"host-{number}", number)
    texts.add("host-2", 7)
    assert {text for text, _ in texts.find("host-29")} == {
        f"host-{n}" for n in (29, *range(291, 300, 2), *range(2901, 3000, 2))
    }
    assert dict(texts.match("host-2$|^host-2\\Z")) == {"host-2": {7}}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=60), st.integers(0, 2**32))
def test_an_order_stays_sorted(steps: list[tuple[int, int]], seed: int) -> None:
    values = {number: number % 3 for number in range(20)}
    order = Order(lambda number: values[number], list(values))
    dice = random.Random(seed)
    for number, value in steps:
        if number in values and dice.random() < 0.3:
            del values[number]
            order.note(number, gone=True)
        else:
            values[number] = value
            order.note(number)
        if dice.random() < 0.5:
            expected = sorted(values, key=lambda n: (values[n], n))
            assert order.page(None, 100, 0) == expected
            assert order.page(None, 5, 3, descending=True) == expected[::-1][3:8]
            some = {n for n in values if n % 2}
            assert order.page(some, 4, 1) == [n for n in expected if n in some][1:5]


def test_a_big_change_is_sorted_as_well_as_many_small_ones() -> None:
    values = {number: number for number in range(5000)}
    order = Order(lambda number: values[number], list(values))
    for number in range(0, 5000, 2):
        values[number] = -number
        order.note(number)
    del values[4999]
    order.note(4999, gone=True)
    assert order.page(None, 5000, 0) == sorted(values, key=lambda n: (values[n], n))


def test_numbers_in_names_count_as_numbers() -> None:
    assert sorted(["POS-10", "pos-2", "9", "a", "POS-2b"], key=natural) == ["9", "a", "pos-2", "POS-2b", "POS-10"]


def test_a_single_letter_stands_for_beginnings(selector: Selector) -> None:
    assert vms(selector, "p") == {1, 2, 3, 4}, "codes and names begin with it"
    assert vms(selector, "s") == set()
    assert vms(selector, "ㄱ") == {1, 2}
    assert vms(selector, "온") == {1, 2}


def test_results_of_many_kinds_come_in_one_order(selector: Selector) -> None:
    everything = selector.search(ADMIN, "p", 100)[0]
    for limit in range(1, len(everything) + 1):
        hits, total = selector.search(ADMIN, "p", limit)
        assert hits == everything[:limit]
        assert total == len(everything)
