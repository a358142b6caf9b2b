"""Names of agents' tools by what the tools do. Names are compared without case, `_` and `-`."""


def plain(name: str) -> str:
    """A tool's name as it is compared, without the server that it comes from."""
    name = name.rpartition("__")[2].rpartition(".")[2]
    return name.replace("_", "").replace("-", "").lower()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


EDITORS = _names(
    "edit write multiedit notebookedit applypatch applydiff strreplace strreplaceeditor patch "
    "strreplacebasededittool createfile writefile editfile replaceinfile searchreplace fileedit "
    "searchandreplace insertedit inserteditintofile writetofile updatefile deletefile movefile "
    "replace replacestringinfile multireplacestringinfile filewrite insert insertcontent "
    "createnewfile singlefindandreplace renamefile removefile savefile putfile modifyfile "
    "multieditfile editnotebook textedit writefiles texteditor fswrite"
)
SHELLS = _names(
    "bash shell runterminalcmd runcommand executecommand localshell execcommand terminal exec "
    "runinterminal runshellcommand powershell shellcommand executebash run runshell writestdin "
    "sh execute terminalcommand cmd runterminalcommand bashtool containerexec"
)
SEARCHES = _names(
    "grep glob search searchfiles find findfiles findfile ls listdir listfiles listdirectory read "
    "readfile readmanyfiles readfiles view viewfile codebasesearch grepsearch filesearch rg open "
    "semanticsearch websearch webfetch fetch openfile cat searchcode codesearch globfiles "
    "listcodedefinitionnames toolsearch searchfilecontent getfile getfiles tree findreferences "
    "listfile searchcodebase searchtext findsymbol lsp"
)
PLANNERS = _names(
    "todowrite todoread updateplan exitplanmode enterplanmode plan planmoderespond think "
    "updatetodolist managetodolist createplan writeplan taskcreate taskupdate tasklist"
)
TESTERS = _names("runtests runtest test executetests tests pytest rununittests")
WORKING = EDITORS | SHELLS | PLANNERS | TESTERS  # the tools of an agent that works on files
