"""Invented Korean pharmacies: names, phones, hours. Pure and repeatable; any likeness is chance."""

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Region:
    """``weight`` is its share of 100 pharmacies; ``places`` name quarters whose pharmacies carry their name."""

    name: str
    weight: int
    area_code: str
    city: str
    places: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


REGIONS = (
    Region(
        "서울",
        36,
        "02",
        "서울특별시",
        _words(
            "강남 마포 서초 송파 강동 노원 은평 관악 영등포 구로 양천 성북 동작 광진 중랑 강서 종로 용산 성동 도봉 "
            "잠실 여의도 신촌 홍대 목동 상계 길음 방배 사당 청담 수유 화곡 천호 신림 대치 가산"
        ),
    ),
    Region(
        "경기",
        28,
        "031",
        "경기도",
        _words(
            "수원 성남 분당 판교 용인 수지 기흥 고양 일산 안양 평촌 부천 광명 안산 시흥 화성 동탄 평택 의정부 남양주 "
            "하남 김포 파주 군포 의왕 오산 이천 구리"
        ),
    ),
    Region("인천", 8, "032", "인천광역시", _words("부평 계양 송도 청라 연수 남동 주안 검단")),
    Region("부산", 8, "051", "부산광역시", _words("해운대 서면 동래 광안 사하 금정 연산 기장")),
    Region("대구", 7, "053", "대구광역시", _words("수성 동성로 달서 칠곡 범어 성서 동구")),
    Region("대전", 7, "042", "대전광역시", _words("둔산 유성 노은 서대전 대덕 관저 은행동")),
    Region("광주", 6, "062", "광주광역시", _words("상무 첨단 수완 봉선 충장 문흥")),
)

#: the pharmacies that tests and pictures know by name come first
FEATURED = (("강남", "온누리"), ("마포", "늘푸른"), ("서초", "하나"))

WORDS = _words(
    "온누리 늘푸른 하나 새봄 햇살 건강한 으뜸 참좋은 바른 행복 사랑 은혜 미소 푸른솔 한빛 다나음 우리들 굿모닝 소망 "
    "정다운 한마음 큰사랑 메디 보람 백세 제일 중앙 현대 대성 참사랑"
)
CHAINS = _words("누리체인 가온체인 다온체인 새온체인")
SURNAMES = _words("김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황 안 송")
ROADS = _words("중앙로 번영로 시장길 역전로 학교길 공원로 한길로 은행나무길")
NOTES = (
    "",
    "",
    "",
    "공유기: 계산대 아래. 초기화하면 인터넷 회사에 전화해야 합니다.",
    "POS 업체 담당자는 평일 18시까지 전화를 받습니다.",
    "키오스크 전원은 문 옆 멀티탭에 있습니다.",
    "점심시간 13:00-14:00에는 전화를 받지 않습니다.",
)

Span = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PharmacySpec:
    """One pharmacy of the fleet; ``hours`` maps mon..sun to spans of local time."""

    code: str
    name: str
    representative: str
    phone: str
    address: str
    region: str
    chain: str
    hours: dict[str, list[Span]] = field(default_factory=dict)
    closing_days: tuple[str, ...] = ()
    note: str = ""

    @property
    def hours_text(self) -> str:
        """As the enrolment file carries it: ``mon-fri 09:00-19:00; sat 09:00-14:00``."""
        days = list(self.hours)
        parts: list[str] = []
        index = 0
        while index < len(days):
            spans = self.hours[days[index]]
            end = index
            while end + 1 < len(days) and self.hours[days[end + 1]] == spans:
                end += 1
            if spans:
                name = days[index] if end == index else f"{days[index]}-{days[end]}"
                parts.append(f"{name} {','.join(f'{a}-{b}' for a, b in spans)}")
            index = end + 1
        return "; ".join(parts)


def _region_order() -> list[Region]:
    """One hundred regions in the wanted proportions, mixed, beginning with the featured ones of Seoul."""
    pool = [region for region in REGIONS for _ in range(region.weight)]
    first, rest = pool[: len(FEATURED)], pool[len(FEATURED) :]
    random.Random(36_28_8).shuffle(rest)
    return first + rest


def _hours(rng: random.Random) -> dict[str, list[Span]]:
    opens = rng.choice(("08:30", "09:00", "09:00", "09:00", "09:30"))
    closes = rng.choice(("18:30", "19:00", "19:00", "20:00", "21:00", "22:00"))
    hours: dict[str, list[Span]] = {day: [(opens, closes)] for day in ("mon", "tue", "wed", "thu", "fri")}
    hours["sat"] = [("09:00", rng.choice(("13:00", "14:00", "15:00", "18:00")))]
    hours["sun"] = [("10:00", "18:00")] if rng.random() < 0.15 else []
    if rng.random() < 0.1:
        hours["wed"] = [(opens, "13:00"), ("14:00", closes)]
    return hours


def pharmacies(count: int) -> list[PharmacySpec]:
    """The first ``count`` pharmacies of an endless list: a longer list begins with the shorter one."""
    order = _region_order()
    made: list[PharmacySpec] = []
    used: set[str] = {f"{place}{word}" for place, word in FEATURED}
    seen: dict[str, int] = {}
    for index in range(count):
        rng = random.Random(f"pharmacy {index}")
        region = order[index % len(order)]
        turn = seen.get(region.name, 0)
        seen[region.name] = turn + 1
        if index < len(FEATURED):
            place, word = FEATURED[index]
        else:
            place, word = _fresh_name(region, turn, rng, used)
        made.append(_pharmacy(index, region, place, word, rng))
    return made


def _fresh_name(region: Region, turn: int, rng: random.Random, used: set[str]) -> tuple[str, str]:
    place = region.places[turn % len(region.places)]
    for word in rng.sample(WORDS, len(WORDS)):
        if f"{place}{word}" not in used:
            used.add(f"{place}{word}")
            return place, word
    number = turn // len(region.places)
    return place, f"제{number}{WORDS[turn % len(WORDS)]}"


def _pharmacy(index: int, region: Region, place: str, word: str, rng: random.Random) -> PharmacySpec:
    # 97 is prime to 10,000: the last four digits are all different up to 10,000 pharmacies
    last_four = (417 + 97 * index) % 10_000
    chain = rng.choice(CHAINS) if rng.random() < 0.45 else ""
    if word == "온누리":
        chain = "누리체인"
    closing = tuple(sorted({f"2026-12-{rng.choice((25, 26, 31))}", "2027-01-01"})) if rng.random() < 0.5 else ()
    return PharmacySpec(
        code=f"P-{index + 1:03d}",
        name=f"{place}{word}약국",
        representative=f"{rng.choice(SURNAMES)}OO",
        phone=f"{region.area_code}-000-{last_four:04d}",
        address=f"{region.city} {place} {rng.choice(ROADS)} {rng.randint(1, 320)}",
        region=region.name,
        chain=chain,
        hours=_hours(rng),
        closing_days=closing,
        note=rng.choice(NOTES),
    )
