"""What Asterisk and sipp are given by the IVR bench: the three menus, and a caller."""

from __future__ import annotations

# A call that did not come to its proper end is held, so that the caller who waits for the hang-up counts it as failed.
DIALPLAN = """

[from-trunk](+)
exten => 7001,1,Goto(bench-ours,s,1)
exten => 7002,1,Goto(bench-native,s,1)
exten => 7003,1,Goto(bench-process,s,1)

[bench-ours]
exten => s,1,Answer()
 same => n,AGI(${{HOTLINE_AGI}}/voice_menu)
 same => n,ExecIf($["${{HOTLINE_THEN_SAY}}" != ""]?Playback(${{HOTLINE_THEN_SAY}}))
 same => n,Goto(bench-end,s,1)

[bench-process]
exten => s,1,Answer()
 same => n,AGI({script},{prompts},{times},{database})
 same => n,Goto(bench-end,s,1)

; The same menu by Asterisk alone: elderly callers from its own database, hours by the clock, languages, keys, silence,
; three tries, and the variables of the outcome.
[bench-native]
exten => s,1,Answer()
 same => n,Set(TRIES=0)
 same => n,Set(HOTLINE_LANG=zh)
 same => n,GotoIf(${{DB_EXISTS(elderly/${{CALLERID(num)}})}}?to-person,1)
 same => n,Set(CHOICES={prompts}/zh/choose_language&{prompts}/zh/number_1&{prompts}/yue/choose_language)
 same => n,Set(CHOICES=${{CHOICES}}&{prompts}/yue/number_2&{prompts}/en/choose_language&{prompts}/en/number_3)
 same => n(ask),BackGround({prompts}/zh/greeting&{prompts}/zh/recording_notice&${{CHOICES}})
 same => n,WaitExten(4)
exten => t,1,Goto(to-person,1)
exten => i,1,Set(TRIES=$[${{TRIES}} + 1])
 same => n,GotoIf($[${{TRIES}} >= 3]?to-person,1)
 same => n,Goto(s,ask)
exten => 0,1,Goto(to-person,1)
exten => 1,1,Set(HOTLINE_LANG=zh)
 same => n,Goto(hours,1)
exten => 2,1,MSet(HOTLINE_LANG=yue,HOTLINE_SKILLS=yue:1)
 same => n,Goto(hours,1)
exten => 3,1,MSet(HOTLINE_LANG=en,HOTLINE_SKILLS=en:1)
 same => n,Goto(hours,1)
exten => hours,1,GotoIfTime(00:00-23:59,*,*,*?bench-native-main,s,1)
 same => n,Goto(to-person,1)
exten => to-person,1,Goto(bench-native-main,to-person,1)

[bench-native-main]
exten => s,1,Set(TRIES=0)
 same => n(ask),BackGround({prompts}/${{HOTLINE_LANG}}/main_menu)
 same => n,WaitExten(3)
exten => t,1,Goto(to-person,1)
exten => i,1,Set(TRIES=$[${{TRIES}} + 1])
 same => n,GotoIf($[${{TRIES}} >= 3]?to-person,1)
 same => n,Goto(s,ask)
exten => 0,1,Goto(to-person,1)
exten => 1,1,Goto(to-person,1)
exten => to-person,1,GotoIf($[${{CALLERID(num)}} % {sampled}]?unasked)
 same => n,AGI(agi://127.0.0.1:{sampler}/sample,${{HOTLINE_LANG}})
 same => n,Playback({prompts}/${{HOTLINE_LANG}}/to_a_person)
 same => n,Goto(bench-end,s,1)
 same => n(unasked),Playback({prompts}/${{HOTLINE_LANG}}/to_a_person)
 same => n,MSet(HOTLINE_QUEUE=general,HOTLINE_PRIORITY=0,HOTLINE_PATH=welcome>main>queue)
 same => n,MSet(HOTLINE_NEXT=queue,HOTLINE_DONE=1)
 same => n,Goto(bench-end,s,1)

[bench-end]
exten => s,1,GotoIf($["${{HOTLINE_DONE}}${{HOTLINE_NEXT}}${{HOTLINE_LANG}}" = "1queuezh"]?well)
 same => n,Wait(60)
 same => n(well),Hangup(16)

[bench-probe]
exten => s,1,Answer()
 same => n,AGI(agi://127.0.0.1:{probe}/probe)
exten => wait,1,Answer()
 same => n,Wait(3600)
"""

CALLER = """<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="a caller who chooses Mandarin, then a person">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:138[call_number]@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:138[call_number]@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {sink} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
]]></send>
<recv response="100" optional="true"></recv>
<recv response="180" optional="true"></recv>
<recv response="183" optional="true"></recv>
<recv response="200" rtd="true" timeout="10000" rrs="true"></recv>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause milliseconds="600"/>
{info_1}
<pause milliseconds="600"/>
{info_0}
<recv request="BYE" timeout="15000"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""
INFO = """<send retrans="500"><![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[last_From:]
[last_To:]
[last_Call-ID:]
CSeq: {cseq} INFO
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=100
]]></send>
<recv response="200" timeout="10000"></recv>"""
