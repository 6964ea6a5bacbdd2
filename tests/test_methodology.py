"""The methodology page: everything of a rulebook is on it, in words, and nothing that is not."""

import json
import re
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from exchina import policy
from exchina.calculation.conventions import in_words
from exchina.methodology import methodology_page
from exchina.methodology.calculation import RETURNS
from exchina.methodology.markdown import head, meanings, prose, sentences, shown, table
from exchina.methodology.rules import block, plugin_of
from exchina.methodology.settings import entry_and_stay
from exchina.model import Before, NthSession, NthWeekday, ReturnVariant, ReviewRule, Rulebook
from exchina.plugins import keyword_settings
from exchina.rulebook import parse_rulebook
from exchina.rules.registers import REGISTERS, trigger
from exchina.rules.review_presets import day_words
from exchina.rules.solving.ladder import HOLD
from exchina.tables.actions import TERMS
from tests.every.universe import settings_for


@pytest.fixture(params=["magnet-chain", "ex-china-core"])
def text(root: Path, request: pytest.FixtureRequest) -> str:
    return (root / "indices" / request.param / "rulebook.toml").read_text(encoding="utf-8")


@pytest.fixture
def book(text: str) -> Rulebook:
    return parse_rulebook(text)


@pytest.fixture
def page(book: Rulebook) -> str:
    return methodology_page(book)


def chapter(page: str, heading: str) -> str:
    found = re.search(rf"^## \d+\. {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def tables(page: str) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in re.sub(r"```.*?```", "", page, flags=re.DOTALL).splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [lines for lines in found if lines]


def test_same_rulebook_same_bytes_and_no_day_of_making(text: str) -> None:
    pages = {methodology_page(parse_rulebook(text, where)) for where in ("here", "there")}
    assert len(pages) == 1
    days = set(re.findall(r"\d{4}-\d{2}-\d{2}", pages.pop()))
    assert days == set(re.findall(r"\d{4}-\d{2}-\d{2}", text))


def test_every_rule_stands_with_its_reason_and_every_setting(book: Rulebook, page: str) -> None:
    for rule in book.rules:
        block = page.partition(f": `{rule.kind}.{rule.name}`\n")[2].partition("\n## ")[0].partition("\n### ")[0]
        assert f"*Why: {rule.why}*" in block
        plugin = plugin_of(rule)
        assert plugin
        assert {key for key in keyword_settings(plugin) if f"`{key}`" not in block} == set(), rule.name
        assert sentences(head(plugin))[0] in block


def test_level_to_enter_beside_level_to_stay(book: Rulebook, page: str) -> None:
    rule = next(rule for rule in book.screens if rule.name == "free_float_market_cap")
    enter, stay = (f"USD {rule.settings[key]:,.0f}" for key in ("at_least_usd", "members_at_least_usd"))
    assert f"| `at_least_usd`, `members_at_least_usd` | {enter} | {stay} |" in page


def test_entry_and_stay_are_found_by_name_and_by_meaning() -> None:
    held = {"at_least": 2, "members_at_least": 1, "enter_up_to": 3, "stay_up_to": 4, "count": 5, "keep": 6, "other": 0}
    meant = {"keep": "last rank at which a member stays; ``count`` where not given."}
    pairs = {"at_least": "members_at_least", "enter_up_to": "stay_up_to", "count": "keep"}
    assert entry_and_stay(held, meant) == pairs


def test_every_convention_and_corporate_action_is_told(book: Rulebook, page: str) -> None:
    for name, value, meaning in in_words(book.calculation):
        assert f"| `{name}` | `{value}` | {meaning} |" in page
    events = chapter(page, "Corporate actions")
    assert [name for name in TERMS if f"\n| {name.replace('_', ' ')} |" not in events] == []
    chosen = {name: meaning for name, _, meaning in in_words(book.calculation)}
    assert f"Here: {chosen['spin_off']}." in events


def test_ladder_is_told_in_its_order(book: Rulebook, page: str) -> None:
    steps = re.findall(r"^(\d)\. `(\w+)`: (.+)\.$", chapter(page, "Caps"), re.MULTILINE)
    assert [name for _, name, _ in steps] == list(book.if_infeasible)
    assert steps[-1][1:] == (HOLD, "go on with the basket before")
    assert ("raise_issuer_cap", "multiply the upper bounds of the issuer cap") in [
        (name, said.partition(" by ")[0]) for _, name, said in steps
    ]


def test_steps_on_bands_and_budgets_name_their_cap(root: Path) -> None:
    text = (root / "indices" / "ex-china-core" / "rulebook.toml").read_text(encoding="utf-8")
    steps = text.replace('"raise_stage_cap"', '"widen_stage_bands", "spill_stage"')
    told = chapter(methodology_page(parse_rulebook(steps)), "Caps")
    assert "1. `widen_stage_bands`: widen the bands of the stage cap by the fewest points on both sides." in told
    assert "2. `spill_stage`: give what a group cannot carry to the other groups" in told


def test_score_is_that_of_the_constants(page: str) -> None:
    told = chapter(page, "Policy score")
    factors = {**policy.BIND, **policy.CREDIT, **policy.score.CAPITAL_QUALITY, **policy.SCORE_WEIGHTS}
    assert [name for name, value in factors.items() if f"{name.replace('_', ' ')} {value:g}" not in told] == []
    assert f"version `{policy.SCORE_VERSION}` (in use)" in told


def test_who_reads_policy_backing(root: Path) -> None:
    text = (root / "indices" / "ex-china-core" / "rulebook.toml").read_text(encoding="utf-8")
    assert "is read by `weight.free_float_cap`." in methodology_page(parse_rulebook(text))
    blind = methodology_page(parse_rulebook(text.replace("policy_tilt = 1.0", "policy_tilt = 0.0")))
    assert "No rule of this index reads policy backing" in blind


def test_thresholds_of_corrections_are_those_of_the_rulebook(text: str) -> None:
    said = text.replace("[calculation]", "[calculation]\ncorrect_from_bp = 2\nrestate_from_bp = 7.5")
    told = chapter(methodology_page(parse_rulebook(said)), "Corrections")
    assert "| 2 to 7.5 | corrected |" in told
    assert "however old" in told
    told = chapter(methodology_page(parse_rulebook(said + "\nrestate_within_sessions = 40\n")), "Corrections")
    assert "older than 40 sessions is corrected, not restated" in told


def test_live_date_divides_what_is_hypothetical(text: str) -> None:
    assert "- All levels are hypothetical" in methodology_page(parse_rulebook(text))
    live = methodology_page(parse_rulebook(text.replace("base_value", "live_date = 2026-12-18\nbase_value")))
    assert "- Levels before 2026-12-18 are hypothetical" in live
    assert "| live since | 2026-12-18 |" in live


def test_derived_series_only_where_there_are_some(text: str, page: str) -> None:
    assert "Derived series\n" not in page
    series = '\n[series]\nin_eur = { make = "converted", of = "NTR", into = "EUR", why = "For euro investors." }\n'
    told = chapter(methodology_page(parse_rulebook(text + series)), "Derived series")
    assert "`series.in_eur`" in told
    assert "made from NTR" in told
    assert "*Why: For euro investors.*" in told
    assert "- `into` = `EUR`" in told


def test_no_cap_and_no_ladder_are_said(text: str) -> None:
    bare = re.sub(r"\[cap\]\n.*?\n\n", "", text, flags=re.DOTALL)
    assert "None: no weight is bounded." in chapter(methodology_page(parse_rulebook(bare)), "Caps")
    strict = re.sub(r"if_infeasible = .*\n", "", text)
    assert "nothing is relaxed" in chapter(methodology_page(parse_rulebook(strict)), "Caps")


def test_a_table_without_a_chapter_of_its_own_gets_one(text: str) -> None:
    control = '\n[turnover]\npartial_step = { one_way_at_most = 0.15, why = "Trading costs." }\n'
    told = chapter(methodology_page(parse_rulebook(text + control)), "Turnover")
    assert "`turnover.partial_step`" in told
    assert "*Why: Trading costs.*" in told
    assert "- `one_way_at_most` = 0.15 (15%)" in told


def test_a_special_review_is_told_and_is_a_judgement(text: str) -> None:
    why = "A member was nationalised."
    days = 'effective = 2026-11-20, announced = 2026-11-13, data_cutoff = 2026-11-06, scope = "whole"'
    page = methodology_page(
        parse_rulebook(text.replace("[screen]", f'special = [{{ {days}, why = "{why}" }}]\n\n[screen]'))
    )
    assert why in chapter(page, "Reviews")
    assert "2026-11-06" in chapter(page, "Reviews")
    assert "Reviews that people called, with day and reason: 1" in chapter(page, "What is left to judgement")


def test_every_setting_of_a_review_has_a_meaning(page: str) -> None:
    rows = [line.split(" | ") for line in tables(chapter(page, "Reviews"))[0][2:]]
    assert rows
    assert [row[0] for row in rows if len(row[-1].strip(" |")) < 5] == []
    assert {row[0].strip("|` ") for row in rows} <= {field.name for field in fields(ReviewRule)}


def test_page_is_sound_markdown_of_a_length_to_read(page: str) -> None:
    assert page.count("```") % 2 == 0
    for lines in tables(page):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
        assert len(widths) == 1, lines
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", page, re.MULTILINE)]
    assert all(after == before + 1 for before, after in pairwise([0, *numbers]))
    assert "exchina." not in page
    assert "``" not in page.replace("```", "")
    assert "\n\n\n" not in page
    assert len([line for line in page.splitlines() if line]) <= 260


KINDS = {**REGISTERS, "trigger": trigger}
RULES = [(kind, name) for kind, register in KINDS.items() for name in register.all()]


@pytest.mark.parametrize(("kind", "name"), RULES)
def test_every_rule_that_could_be_in_a_rulebook_can_be_told(kind: str, name: str) -> None:
    plugin = KINDS[kind][name]
    settings = settings_for(plugin)
    told = block(f"{kind}.{name}", "Because.", plugin, settings)
    assert f"`{kind}.{name}`" in told
    assert "*Why: Because.*" in told
    assert {key for key in settings if f"`{key}`" not in told} == set()
    assert {key for key in keyword_settings(plugin) if not meanings(plugin).get(key)} == set()
    assert "`exchina." not in told
    assert told.count("```") % 2 == 0


def test_persistence_of_a_screen_is_told_as_entry_and_stay(text: str) -> None:
    text = text.replace("fails_to_leave = 2, ", "")
    patient = text.replace(
        "daily_traded_value = { ", "daily_traded_value = { passes_to_enter = 2, fails_to_leave = 3, "
    )
    assert "| `passes_to_enter`, `fails_to_leave` | 2 | 3 | A screen" in methodology_page(parse_rulebook(patient))
    assert "fails_to_leave" not in methodology_page(parse_rulebook(text))


def test_an_event_that_calls_a_review_is_told(text: str) -> None:
    days = "announced_sessions_after = 1, effective_sessions_after = 3"
    line = f'takeover_closes = {{ scope = "leave", {days}, why = "It is gone." }}'
    told = methodology_page(parse_rulebook(text.replace("[screen]", f"[review.on]\n{line}\n\n[screen]")))
    told = chapter(told, "Reviews")
    assert "`review.on.takeover_closes`" in told
    assert "*Why: It is gone.*" in told
    assert "- `effective_sessions_after` = 3" in told


def test_a_scheme_within_a_weighting_is_told_in_full(root: Path) -> None:
    text = (root / "indices" / "magnet-chain" / "rulebook.toml").read_text(encoding="utf-8")
    scheme = 'within = { tilt = { by = "policy_score", within = "equal" } }, why'
    rules = re.sub(
        r"\[weight\]\n.*?why", f"[weight]\nstage_buckets = {{ magnet_maker = 1.0, {scheme}", text, flags=re.DOTALL
    )
    told = chapter(methodology_page(parse_rulebook(rules)), "Weighting")
    assert re.findall(r"^#### Within it: `(\w+)`", told, re.MULTILINE) == ["tilt", "equal"]
    assert "w_i = 1 / n" in told


def test_explain_writes_the_page(root: Path, tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    text = (root / "indices" / "magnet-chain" / "rulebook.toml").read_text(encoding="utf-8")
    place = tmp_path / "new" / "methodology.md"
    assert run("explain", "magnet-chain", "-w", root, "--out", place) == (0, f"wrote {place}\n", "")
    assert place.read_text(encoding="utf-8") == methodology_page(parse_rulebook(text))
    code, out, _ = run("explain", "magnet-chain", "-w", root, "--out", place, "--json")
    assert (code, json.loads(out)) == (0, {"wrote": str(place)})


def test_explain_names_the_way_to_the_page(root: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    assert "exchina explain magnet-chain --out methodology.md" in run("explain", "magnet-chain", "-w", root)[1]
    assert "--out" not in json.loads(run("explain", "magnet-chain", "-w", root, "--json")[1])["source"]


def test_explain_refuses_what_it_cannot_write(
    root: Path, tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    place = tmp_path / "methodology.md"
    code, _, err = run("explain", "magnet-chain", "mp-materials", "-w", root, "--out", place)
    assert (code, place.exists()) == (1, False)
    assert "leave out --out, or mp-materials" in err
    code, _, err = run("explain", "magnet-chain", "-w", root, "--out", tmp_path)
    assert (code, "is a folder" in err) == (1, True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    code, _, err = run("explain", "magnet-chain", "-w", root, "--out", tmp_path / "file" / "page.md")
    assert code == 1
    assert "cannot be written" in err


def test_every_return_variant_has_words() -> None:
    assert set(RETURNS) == set(get_args(ReturnVariant))


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (NthWeekday(nth=3, weekday="friday"), "the third Friday of the month"),
        (NthSession(session=-1), "the last session of the month"),
        (NthSession(session=-1, months_before=1), "the last session of the month before"),
        (NthSession(session=-10), "session 10 from the end of the month"),
        (Before(sessions_before=5), "5 sessions before the effective day"),
        (Before(weeks_before=6), "6 weeks before the effective day"),
        (Before(sessions_before=0), "the effective day"),
    ],
)
def test_days_in_words(day: NthWeekday | NthSession | Before, said: str) -> None:
    assert day_words(day) == said


@pytest.mark.parametrize(
    ("key", "value", "meaning", "said"),
    [
        ("at_least_usd", 50e6, "threshold, US dollars", "USD 50,000,000"),
        ("at_most", 0.125, "largest weight, as a fraction of the index", "0.125 (12.5%)"),
        ("power", 0.5, "exponent p", "0.5"),
        ("count", 1, "how many, a fraction", "1"),
        ("any_of", ["loan", "grant"], "", "`loan`, `grant`"),
        ("at_most", {"developer": 0.5}, "as a fraction", "`developer` 0.5 (50%)"),
        ("within", {"tilt": {"strength": 2.0, "by": "policy_score"}}, "", "`tilt` (`strength` 2; `by` `policy_score`)"),
        ("must_buy", False, "", "no"),
        ("limit", None, "", "none"),
        ("groups", {}, "", "none"),
    ],
)
def test_values_as_they_are_shown(key: str, value: object, meaning: str, said: str) -> None:
    assert shown(key, value, meaning) == said


def test_docstrings_as_markdown() -> None:
    text = (
        "Weigh ``a``\nagain (`exchina.plugins`).\n\nw_i = a / b\n\n    x  = 1\n\nEnd of `exchina.rules.order.ranked`."
    )
    assert prose(text).split("\n\n") == [
        "Weigh `a` again.",
        "```text\nw_i = a / b\n```",
        "```text\nx  = 1\n```",
        "End of `ranked`.",
    ]
    assert table(("a", "b"), [("|w|", "line\nbreak")]).splitlines()[-1] == r"| \|w\| | line break |"
    assert table(("a",), []) == ""
