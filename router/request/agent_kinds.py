"""The kind of an agent's request: does it edit, search, plan, sum up, or name its session?

Harnesses ask for titles and summaries in words of their own, which hardly change. Whether an agent
edits, searches or plans shows in what its user asked for and in what it has done since. Pure
functions; only the beginning of a text is read.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from router.request.cues import cued
from router.request.tool_calls import Sort, offers_work

AGENTS = ("", "edit", "search", "plan", "summarise", "title", "other")
_RULES, _WORDS, _ASIDE = 2_000, 4_000, 700  # characters that are read
_OF_A_SESSION = r"(?:conversations?|sessions?|chats?|threads?|dialogues?|coding|messages?)"
_TITLE = cued(
    rf"\b(?:titles?|name|heading|slug|description)\b.{{0,60}}\b{_OF_A_SESSION}\b|"
    rf"\b(?:conversation|session|chat|thread|task|new topic) (?:title|name)s?\b|"
    rf"\btitle (?:generator|only)\b|\bisNewTopic\b|\bbranch name\b.{{0,60}}\btitle\b|"
    rf"\b(?:brief|concise|short|\d-\d+ words?) title\b.{{0,60}}\b(?:request|chat|task|history)|"
    rf"\b{_OF_A_SESSION}\b.{{0,120}}\b(?:titles?\b|in \d{{1,2}} words? or less)|"
    rf"\btítulo\b.{{0,60}}\b(?:conversación|sesión|conversa)\b|"
    rf"\btitre\b.{{0,60}}\b(?:conversation|session)\b|\bTitel\b.{{0,60}}\b(?:Gespräch|Unterhaltung|"
    rf"Sitzung|Chat)|(?:对话|会话|聊天).{{0,20}}标题|(?:会話|チャット).{{0,20}}タイトル",
    "title titles name names heading slug description isnewtopic word words tulo titre titel",
    ("标题", "タイトル"),
)
_OF_THE_PAST = (
    rf"(?:{_OF_A_SESSION}|context|history|transcript|progress|interactions?|so far|work done|"
    r"messages below|state)"
)
_SUMMARY = cued(
    rf"\b(?:summary|summari[sz](?:e|es|ed|ing)|compact(?:ed|ing|ion)?|condens(?:e|ing)|distill?|"
    rf"recap)\b.{{0,80}}\b{_OF_THE_PAST}\b|"
    rf"\b{_OF_THE_PAST}\b.{{0,80}}\b(?:summary|summari[sz]\w{{1,4}}|compact(?:ed|ion)|condense)\b|"
    r"\b(?:context limit|running out of context)\b|\bhand-?off (?:summary|note|document|prompt)|"
    r"\bprompt for continuing\b|\banchored summary\b|\bstate[_ ](?:snapshot|summary)\b|"
    r"\b(?:résume|résumé|resume|resumen|resumo|riassumi|riassunto|Fasse|Zusammenfassung)\b.{0,60}"
    r"\b(?:conversation|session|conversación|sesión|conversa|conversazione|Gespräch|Unterhaltung|"
    r"Sitzung|Chat)|(?:对话|会话|聊天|上下文).{0,20}(?:摘要|总结|压缩)|(?:总结|压缩).{0,20}(?:对话|会话)|"
    r"(?:会話|対話).{0,20}要約",
    "summary compact compacted compacting compaction condense condensing distil distill recap "
    "limit running hand handoff continuing anchored snapshot state_snapshot state_summary "
    "resume resumen resumo riassumi riassunto fasse zusammenfassung",
    ("summari", "résum", "摘要", "总结", "压缩", "要約"),
)
_PLANNER = re.compile(
    r"\bplan(?:ning)?[ -](?:mode|agent|specialist)\b|\bread-only planning\b|"
    r"\b(?:software architect|architect engineer)\b|\bmode\W{1,9}plan\b",
    re.I,
)
_PLANS = re.compile(
    r"\b(?:make|write|create|draft|propose|outline|come up with|give me|design|prepare|produce|"
    r"present|sketch|update|need|want|with|show me) (?:me )?(?:a|an|the|your)?\s{0,2}"
    r"(?:[\w-]{1,20} ){0,3}(?:plan|roadmap|strategy|outline|milestones|design doc\w{0,5})\b|"
    r"\bplan (?:how|out|the|this|a|for|first|to)\b|\b(?:what|which) steps\b|\bstep-by-step plan\b|"
    r"\b(?:do not|don't|dont|without) (?:\w{1,12} ){0,2}(?:implement|start|code|coding|build)|"
    r"\bbefore (?:you |we )?(?:writ|cod|edit|chang|implement|touch)\w{0,8}|"
    r"\bhow (?:would|should) (?:you|we|i) (?:approach|structure|split|go about|design|organi[sz]e|"
    r"tackle|migrate)|\bthink through\b|\b(?:plan|planifica|planifie|plane|pianifica|planeja)e?\b"
    r".{0,40}\b(?:antes|avant|bevor|prima|pasos|étapes|Schritte|cómo|comment|wie)|"
    r"^\s{0,3}(?:plan|planifica|planifie|plane|pianifica)\b|计划|方案|规划|計画|계획",
    re.I,
)
_SEARCHER = re.compile(
    r"\b(?:file search|search|exploration|explore|research)[ -](?:specialist|agent|subagent)\b|"
    r"\bweb search tool use\b",
    re.I,
)
_SEARCHES = re.compile(
    r"\b(?:find|locate|where(?:'s|s)?|search|look(?:ing)? (?:for|up|into where)|grep|track down|"
    r"which (?:\w{1,20} ){0,3}(?:files?|functions?|modules?|class(?:es)?|tests?|packages?|place|"
    r"version|commits?|lines?|components?|endpoints?|callers|modules|services?|code)|list (?:all|"
    r"every|the|'?em|them)|any \w{1,20} left|"
    r"(?:who|what) (?:calls|uses|imports|references)|usages?|references to|callers|"
    r"show me (?:where|all|every)|is there (?:already |any |a )|do we (?:have|use)|trace|"
    r"how (?:is|are|does) .{1,60} (?:handled|implemented|work|wired|loaded|called)|research|"
    r"dónde|donde|(?:en )?qué (?:archivos?|ficheros?|funci\w{1,6})|busca|encuentra|localiza|"
    r"où|quels? fichiers?|quelles? fonctions?|cherche|trouve|wo|welche dateien?|welche funktion\w*|"
    r"such(?:e|en)?|finde|dove|quali file|cerca|trova|onde|quais arquivos|procure|encontre|"
    r"nerede|hangi dosya|где|найди|waar|welke bestanden|zoek|gdzie|znajdź)\b|"
    r"哪里|哪个文件|哪些|查找|搜索|找到|找出|どこ|探して|検索|어디|찾아",
    re.I,
)
_ASKS = re.compile(
    r"^\W{0,3}(?:what(?:'s| is| does| are)|why|explain|how do i|how does|is (?:this|it|there any "
    r"downside)|are|can you explain|tell me|review|run|start|show|hi|hello|hey|thanks|push|commit|"
    r"git (?:push|pull|commit|status|log)|open a (?:pr|pull request)|deploy|restart|compare|"
    r"(?:¿|\W)?qué (?:es|hace|ventajas|diferencia)|por qué|pourquoi|warum|was ist|was macht|"
    r"que fait|c'est quoi|explica|explique|erkläre)\b",
    re.I,
)
_EDITS = re.compile(
    r"\b(?:fix|add|implement|refactor|rename|remove|delete|replace|update|change|write|create|"
    r"make|migrate|convert|move|bump|upgrade|build|port|rewrite|extract|introduce|improve|"
    r"optimi[sz]e|apply|patch|edit|modify|set up|support|handle|clean up|resolve|correct|repair|"
    r"generate|translate|turn|split|inline|drop|switch|enable|disable|revert|rip out|swap|wrap|"
    r"use|put|let|stop|should|document|format|debug|cache|validate|log|show|hide|sort|type|merge|"
    r"simplify|deprecate|dedupe|debounce|vendor|pin|scaffold|wire|hook|throw|return|render|"
    r"arregla|añade|agrega|crea|cambia|elimina|borra|implementa|corrige|actualiza|renombra|escribe|"
    r"refactoriza|mueve|quita|haz|pon|ajoute|crée|change|supprime|implémente|corrige|renomme|"
    r"remplace|écris|mets|déplace|erstell\w{0,3}|füge|ändere|lösche|entferne|implementier\w{0,3}|"
    r"behebe|benenne|schreib\w{0,2}|ersetz\w{0,2}|mach\w{0,2}|aggiungi|crea|cambia|rimuovi|correggi|"
    r"rinomina|scrivi|sposta|sostituisci|adicione|crie|mude|remova|corrija|implemente|ekle|düzelt|"
    r"sil|değiştir|yaz|добавь|исправь|удали|создай|перепиши|замени|voeg|maak|dodaj|napraw|usuń)\b|"
    r"(?:换成|改成|修复|修改|添加|删除|实现|重构|创建|替换|重写|增加|改为|追加|修正|削除|変更|実装|作成|"
    r"直して|추가|수정|삭제|구현|바꿔|만들어)",
    re.I,
)
_GOES_ON = re.compile(
    r"\W{0,3}(?:yes|yep|yeah|ok(?:ay)?|sure|proceed|continue|go (?:on|ahead)|do it|do that|"
    r"looks good|lgtm|approved?|sí|oui|ja|vale|weiter|continúa|好|继续|是的)\b.{0,60}",
    re.I,
)
_ERROR_TEXT = re.compile(r"\b[A-Z]\w{2,30}(?:Error|Exception)\b|\berror:|\btraceback\b|\bE\d{4}\b")
_HARNESS = cued(
    r"\bYou are (?:\w{1,20}[, ]{1,2}){0,8}(?:Claude Code|Codex|Cline|Roo|opencode|Aider|Cursor|"
    r"Gemini CLI|GitHub Copilot|Goose|OpenHands|Devin|Windsurf|Zed)|\bpair programm|"
    r"\b(?:coding|software|engineering|CLI) (?:agent|assistant)\b|\bagentic\b|\bsubagent\b|"
    r"\bexpert (?:software developer|architect engineer|code analyst)\b|\bSEARCH/REPLACE\b|"
    r"\binteractive (?:CLI|command-line)\b|\bassistant for performing\b",
    "claude github gemini pair coding software engineering cli agentic subagent engineer analyst "
    "replace interactive performing",
    (
        *("codex", "cline", "roo", "opencode", "aider", "cursor", "goose", "openhands", "devin"),
        *("windsurf", "zed"),
    ),
)


def is_agents(fields: Mapping[str, Any], system: str) -> bool:
    """Whether an agent sent a request that called no tool yet: it can work, or its harness says so
    in the first rules."""
    return offers_work(fields) or _HARNESS.search(system[:_RULES]) is not None


def aside_of(system: str, last_message: str) -> str:
    """`title` or `summarise`, if a harness only wants its session named or summed up; else empty.

    `last_message` is the user's last message with what the harness added.
    """
    rules, aside = system[:_RULES], last_message[:_ASIDE]
    # The rules of a harness that is only to name or to sum up a session say so at once.
    both = f"{rules[:_ASIDE]}\n{aside}" if _HARNESS.search(rules) is None else aside
    if _TITLE.search(both):
        return "title"
    return "summarise" if _SUMMARY.search(both) else ""


def work_of(system: str, last_message: str, last_words: str, sorts: Sequence[Sort]) -> str:
    """What an agent does that neither names nor sums up its session.

    `last_words` is what the user wrote. `sorts` are what the calls since then did, oldest first.
    """
    if "edit" in sorts:
        return "edit"
    rules, aside = system[:_RULES], last_message[:_ASIDE]
    if _PLANNER.search(rules) or _PLANNER.search(aside) or _PLANNER.search(last_message[-_ASIDE:]):
        return "plan"
    return _wanted_work(rules, last_words[:_WORDS])


def _wanted_work(rules: str, words: str) -> str:
    """The kind of work that was asked for."""
    if _PLANS.search(words):
        return "plan"
    if _SEARCHER.search(rules):
        return "search"
    edits, searches = _EDITS.search(words), _SEARCHES.search(words)
    if searches and (not edits or searches.start() <= edits.start()):
        return "search"
    if _ASKS.match(words):
        return "other"
    if edits or _GOES_ON.fullmatch(words.strip()) or _ERROR_TEXT.search(words):
        return "edit"
    return "other"
