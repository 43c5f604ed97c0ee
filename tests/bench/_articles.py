"""A hundred thousand invented articles for the bench of the search: words as unequally common as in life."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, text

from app.db import Database
from app.knowledge.tables import KnowledgeArticle, KnowledgeVersion
from app.search.tokens import MARKS, tokens
from tests.bench.seed import Progress

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 2_000
MATTERS = (
    "停水 停电 燃气 供暖 医保 社保 养老 失业 工伤 生育 公积金 公租房 落户 居住证 身份证 护照 驾照 违停 公交 地铁 "
    "噪音 油烟 垃圾 路灯 井盖 电梯 物业 装修 入学 转学 疫苗 挂号 低保 残疾 高龄 婚姻 殡葬 执照 发票 退税 食品 "
    "预付卡 快递 网购 培训 欠薪 仲裁 房产证 过户 拆迁 宅基地 农机 化肥 防汛 台风 停课 消防 诈骗 养犬 充电桩"
).split()
KINDS = (
    "申请条件 办理流程 所需材料 收费标准 投诉渠道 补贴政策 报修电话 办理时限 查询方法 退费规定 通知公告 资格认证"
).split()
DISTRICTS = [a + b for a in "城东南西北新老上下前后平安和兴" for b in "关河山湖桥塘湾岭原口"]
ASKED = ("怎么办理", "需要什么材料", "要多少钱", "找哪个部门", "多久能办好", "为什么不行", "什么时候恢复", "有没有补贴")
SENTENCES = (
    "{d}{m}事项由市级主管部门统一受理，{k}以公告为准。",
    "请携带身份证到{d}政务服务中心窗口办理{m}业务。",
    "{m}相关{k}自受理之日起五个工作日内办结，不收取费用。",
    "对{m}处理结果有异议的，可以在六十日内申请复核。",
    "{d}居民可以通过手机应用在线查询{m}进度。",
    "符合条件的家庭每月可以领取补助，按季度发放到社会保障卡。",
    "工作人员将在二十四小时内与来电人联系并核实情况。",
    "逾期未办理的，须重新提交申请材料并说明原因。",
    "节假日期间服务时间调整为上午九点到下午五点。",
    "委托他人代办的，应当出具委托书和双方有效证件。",
    "老年人和行动不便的市民可以预约上门服务。",
    "紧急情况请拨打值班电话，抢修人员四十五分钟内到场。",
)


def article(n: int) -> tuple[str, str, str, str]:
    """Title, question, answer for the telephone and for letters of article `n`, the same every time."""
    one = random.Random(n)

    def pick(words: Sequence[str]) -> str:
        return words[min(int(one.paretovariate(0.9)) - 1, len(words) - 1)] if one.random() < 0.7 else one.choice(words)

    named = {"d": one.choice(DISTRICTS), "m": pick(MATTERS), "k": pick(KINDS)}
    said = [sentence.format(**named) for sentence in one.sample(SENTENCES, 8)]
    title = f"{named['d']}{named['m']}{named['k']}"
    return title, f"{named['m']}{one.choice(ASKED)}", "\n".join(said[:2]), "\n".join(said[2:])


def queries(kind: str, count: int) -> Iterator[str]:
    """What agents type: `two` characters, `four`, or a `long` sentence, of which every other is in no article so."""
    one = random.Random(kind)
    for n in range(count):
        matter = one.choice(MATTERS)
        match kind:
            case "two":
                yield one.choice((matter, one.choice(DISTRICTS), one.choice(KINDS)[:2], one.choice(KINDS)[2:]))[:2]
            case "four":
                yield one.choice(
                    (matter[:2] + one.choice(KINDS)[:2], one.choice(KINDS), one.choice(DISTRICTS) + matter[:2])
                )
            case _ if n % 2:
                yield f"我家住在{one.choice(DISTRICTS)}，{matter}的事情打了几次电话，{one.choice(ASKED)}"
            case _:
                yield f"{matter} {one.choice(ASKED)} 政务服务中心窗口"


@lru_cache(maxsize=200_000)
def _words(line: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(token.text for token in tokens(line)))


def _marked(texts: Sequence[str]) -> list[str]:
    """As `app.search.tokens.marked`, sentence by sentence, so that each is cut once."""
    made: dict[str, None] = {}
    for place, whole in enumerate(texts):
        for line in whole.splitlines():
            for mark in MARKS[place:]:
                made |= dict.fromkeys([mark + word for word in _words(line)])
    return list(made)


def fill(db: Database, count: int, progress: Progress) -> None:
    """That many published articles, and the index over them built at once as after a restore."""
    if db.dialect == "postgresql":
        _run(db, "DROP INDEX knowledge_index_fts")
    for first in range(0, count, BATCH):
        numbers = range(first + 1, min(first + BATCH, count) + 1)
        rows = [(n, *article(n)) for n in numbers]
        with db.session() as session:
            connection = session.connection()
            connection.execute(insert(KnowledgeArticle), [_article(n) for n in numbers])
            connection.execute(insert(KnowledgeVersion), [_version(*row) for row in rows])
            entries = [(n, n % 97, " ".join(_marked((title, asked, f"{a}\n{b}")))) for n, title, asked, a, b in rows]
            _keep(db, connection, entries)
        progress(numbers[-1], count)
    if db.dialect == "postgresql":
        _run(db, "CREATE INDEX knowledge_index_fts ON knowledge_index USING gin (words) WITH (fastupdate = off)")
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    else:
        _run(db, "INSERT INTO knowledge_index_fts(knowledge_index_fts) VALUES ('rebuild')")


def _keep(db: Database, connection: Any, entries: Sequence[tuple[int, int, str]]) -> None:
    columns = "(subject_id, audience, until, weight, moment, words)"
    if db.dialect == "sqlite":
        values = [{"id": n, "weight": weight, "words": words} for n, weight, words in entries]
        when = "2026-01-01 00:00:00.000000"
        made = f"INSERT INTO knowledge_index {columns} VALUES (:id, '', NULL, :weight, '{when}', :words)"
        connection.execute(text(made), values)
        return
    connection.exec_driver_sql("CREATE TEMP TABLE fresh (id int, weight int, words text) ON COMMIT DROP")
    lines = io.StringIO("".join(f"{n}\t{weight}\t{words}\n" for n, weight, words in entries))
    with connection.connection.driver_connection.cursor().copy("COPY fresh FROM STDIN") as copying:
        copying.write(lines.read())
    made = "array_to_tsvector(string_to_array(words, ' '))"
    connection.exec_driver_sql(
        f"INSERT INTO knowledge_index {columns} SELECT id, '', NULL, weight, '2026-01-01Z', {made} FROM fresh"
    )


def _run(db: Database, statement: str) -> None:
    with db.engine.begin() as connection:
        if db.dialect == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
        connection.exec_driver_sql(statement)


def _article(n: int) -> dict[str, Any]:
    return {"id": n, "current_id": n, "used": n % 97, "helped": 0, "not_helped": 0, "created_at": EPOCH}


def _version(n: int, title: str, asked: str, phone: str, letter: str) -> dict[str, Any]:
    return {
        "id": n, "article_id": n, "number": 1, "state": "published", "revision": 1, "title": title, "question": asked,
        "phone_answer": phone, "letter_answer": letter, "keywords": [], "areas": [], "type": "guide", "internal": False,
        "unit_name": "", "written_at": EPOCH, "reason": "",
    }  # fmt: skip
