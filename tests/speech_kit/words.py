"""The words that the tiny model knows, as they are written and as they are said (pinyin with tones)."""

from __future__ import annotations

DIGITS = {
    "零": "ling2",
    "一": "yi1",
    "幺": "yao1",
    "二": "er4",
    "三": "san1",
    "四": "si4",
    "五": "wu3",
    "六": "liu4",
    "七": "qi1",
    "八": "ba1",
    "九": "jiu3",
}
COMMANDS = {
    "人工": "ren2 gong1",
    "投诉": "tou2 su4",
    "咨询": "zi1 xun2",
    "求助": "qiu2 zhu4",
    "建议": "jian4 yi4",
    "举报": "ju3 bao4",
    "表扬": "biao3 yang2",
    "留言": "liu2 yan2",
    "回拨": "hui2 bo1",
    "返回": "fan3 hui2",
    "重听": "chong2 ting1",
    "结束": "jie2 shu4",
    "确认": "que4 ren4",
    "取消": "qu3 xiao1",
    "粤语": "yue4 yu3",
    "英语": "ying1 yu3",
    "普通话": "pu3 tong1 hua4",
    "帮助": "bang1 zhu4",
}
WORDS = DIGITS | COMMANDS
UNKNOWN = "[unk]"

FOREIGN = (
    "jin1 tian1 xia4 wu3 xiao3 qu1 men2 kou3 de5 lu4 deng1 huai4 le5",
    "wo3 jia1 lou2 xia4 you3 ren2 ban4 ye4 shi1 gong1 chao3 de5 hen3",
    "zuo2 tian1 wan3 shang4 shui3 guan3 lou4 shui3 mei2 ren2 lai2 xiu1",
    "qing3 wen4 she4 bao3 ka3 zai4 na3 li3 neng2 ban4",
    "gong1 jiao1 che1 deng3 le5 hen3 jiu3 dou1 mei2 you3 lai2",
    "ta1 men5 shuo1 ming2 tian1 cai2 neng2 gei3 da2 fu4",
    "zhe4 tiao2 he2 de5 wei4 dao4 hen3 nan2 wen2 ma2 fan5 ni3 men5 kan4 kan5",
    "hai2 zi5 shang4 xue2 de5 shi4 qing5 xiang3 wen4 yi2 xia4",
)
"""Speech that is none of the words, from which the model learns what it does not know."""
