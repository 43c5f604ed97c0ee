"""What invented citizens call about: titles from word lists, sentences as people speak, places of an invented city."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.units.suggestions import DATA

TITLES: Mapping[str, Sequence[str]] = {
    "供水": "停水 水压不足 自来水发黄 水表走字快 水管爆裂 水费异常 二次供水水箱未清洗 接水报装慢".split(),
    "排水": "下水道堵塞 污水外溢 雨后积水 井盖缺失 井盖松动 排水沟臭味 雨水倒灌 河道黑臭".split(),
    "供气": "燃气有异味 燃气表故障 通气报装慢 燃气费异常 灶具打不着火 停气未通知 上门收费 管道锈蚀".split(),
    "供热": "暖气不热 暖气管漏水 供暖费退费 停暖未通知 室温不达标 换热站噪音 报停手续 管网未接入".split(),
    "供电": "停电 频繁停电 电压不稳 电费异常 电线垂落 变压器噪音 充电桩报装 电表故障".split(),
    "市容环卫": "垃圾无人清运 占道经营 乱贴小广告 公厕脏臭 渣土车撒漏 夜市油烟扰民 违章搭建 共享单车乱停放".split(),
    "公共交通": "公交等车时间长 公交改线咨询 出租车拒载 出租车绕路 司机态度差 网约车多收费 站牌损坏 地铁口拥堵".split(),
    "交通管理": "违停影响通行 红绿灯故障 绿灯时间短 路口拥堵 违章申诉 车牌办理咨询 货车扰民 斑马线不清".split(),
    "社保": "养老金未到账 社保转移咨询 工伤申报 失业金申领 社保卡补办 断缴补缴 退休手续 缴费基数咨询".split(),
    "医保": "医保卡冻结 异地就医报销 门诊特病认定 医保断缴 报销比例咨询 家庭共济 住院押金 药品不在目录".split(),
    "教育": "学区划分咨询 校外培训退费 食堂饭菜质量差 违规补课 转学手续 校车安全 教师体罚 入园难".split(),
    "住房保障": "公租房申请 房产证办理慢 延期交房 房屋质量问题 租房押金不退 危房鉴定 网签撤销 维修基金使用".split(),
    "物业管理": "电梯故障 物业费上涨 消防通道被占 停车费乱收 装修押金不退 门禁损坏 楼道堆杂物 业委会选举".split(),
    "公积金": "公积金提取 公积金贷款额度 公积金断缴 异地转移 缴存比例 冲还贷办理 单位不缴公积金 提前还款".split(),
    "生态环境": "工地夜间施工噪音 工厂排放废气 扬尘污染 广场舞噪音 饭店油烟直排 噪声扰民 异味扰民 焚烧秸秆".split(),
    "劳动保障": "拖欠工资 不签劳动合同 违法辞退 加班不付费 扣押证件 试用期纠纷 中介收费 高温补贴".split(),
    "市场监管": "预付卡退费难 食品变质 电子秤缺斤短两 商家跑路 虚假宣传 无照经营 退货纠纷 价格欺诈".split(),
    "卫生健康": "挂号难 疫苗预约 医院态度差 无证行医 生育登记 献血证用血 体检报告 病历复印".split(),
    "民政": "低保申请 高龄津贴 婚姻登记预约 养老院收费 残疾补贴 殡葬收费 临时救助 社区食堂".split(),
    "公安户政": "落户咨询 身份证办理 居住证积分 邻里打架 电信诈骗 养犬扰民 户口迁移 出入境预约".split(),
    "园林绿化": "树枝遮挡路灯 行道树枯死 公园设施损坏 绿化带被毁 虫害 草坪无人修剪 花坛破损 树木倾斜".split(),
    "道路照明设施": "路灯不亮 路灯常亮 路面坑洼 人行道砖破损 护栏损坏 灯杆漏电 盲道被占 道路塌陷".split(),
    "税务": "发票开具 个税退税 契税咨询 税务登记 社保费缴纳 企业注销 印花税 车船税".split(),
    "通信邮政": "宽带故障 快递丢失 套餐乱扣费 信号差 快递不送上门 基站投诉 邮政挂号信 携号转网".split(),
}
ESTATES = [
    a + b for a in "金翠紫锦阳天丽华幸惠龙梧" for b in ("色家园", "湖苑", "薇园", "绣园", "光里", "河小区", "景湾")
]
ROADS = [a + b for a in "人民 解放 建设 文化 和平 长江 东风 南环 学院 中山 新华 康宁 云台 渡口 湖滨 杏园".split()
         for b in ("路", "街", "东路", "西街")]  # fmt: skip
AREAS = "东湖区 西山区 北滩区 经开区".split()
WHEN = "昨天晚上 今天早上 上周五 从周一开始 最近一个月 这几天 三天前 前天中午 半个月以来 国庆之后".split()
ASKS = (
    "希望尽快处理并回复。",
    "请有关部门核实。",
    "打过两次电话，没有结果。",
    "请问应该怎么办？",
    "要求给个明确的答复。",
    "老人和孩子很不方便。",
    "影响正常生活。",
    "希望派人到现场看看。",
)
TYPES = (("consult", 46), ("help", 24), ("complaint", 20), ("suggestion", 3), ("opinion", 3), ("report", 3),
         ("praise", 1))  # fmt: skip
URGENCIES = (("general", 90), ("utilities", 9), ("life", 1))


@dataclass(frozen=True)
class Told:
    """A matter as it was told."""

    topic: str
    type: str
    urgency: str
    title: str
    content: str
    area: str
    address: str


def spoken() -> dict[str, list[str]]:
    """Sentences as citizens say them, by topic."""
    found: dict[str, list[str]] = {topic: [] for topic in TITLES}
    with (DATA / "matters.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["topic"], []).append(row["text"])
    return found


class Teller:
    """Tells matters: some topics and places more often than others, as in life."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.sentences = spoken()
        self.topics = list(TITLES)
        self.weights = _cumulated([1 / (n + 3) for n in range(len(self.topics))])
        self.types, self.type_weights = [one for one, _ in TYPES], _cumulated([part for _, part in TYPES])
        self.urgencies = [one for one, _ in URGENCIES]
        self.urgency_weights = _cumulated([part for _, part in URGENCIES])

    def tell(self) -> Told:
        """The next matter."""
        dice = self.dice
        (topic,) = dice.choices(self.topics, cum_weights=self.weights)
        (kind,) = dice.choices(self.types, cum_weights=self.type_weights)
        (urgency,) = dice.choices(self.urgencies, cum_weights=self.urgency_weights)
        named = dice.random() < 0.55
        place = dice.choice(ESTATES) if named else dice.choice(ROADS)
        number = dice.randint(1, 30)
        address = f"{place}{number}号楼" if named else f"{place}{number * 7}号"
        title = f"{place}{dice.choice(TITLES[topic])}"
        content = f"{dice.choice(WHEN)}，{dice.choice(self.sentences[topic])}。\n{dice.choice(ASKS)}"
        return Told(topic, kind, urgency, title, content, dice.choice(AREAS), address)

    def again(self, told: Told) -> Told:
        """The same matter as another person, or the same one later, tells it."""
        dice = self.dice
        content = f"{dice.choice(WHEN)}，{dice.choice(told.content.splitlines()).partition('，')[2] or told.title}。"
        return Told(told.topic, told.type, told.urgency, told.title, f"{content}\n{dice.choice(ASKS)}",
                    told.area, told.address)  # fmt: skip


def _cumulated(weights: Sequence[float]) -> list[float]:
    total, found = 0.0, []
    for weight in weights:
        total += weight
        found.append(total)
    return found
