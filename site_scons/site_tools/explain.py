"""The graph explained: why a step would run. Looks at the nodes; builds and changes nothing.

Adds to the environment, each an action for a goal:
    env.Why()    what would run for the target that `why` names, and why
    env.Graph()  the graph as pictures and a page: graph.svg, graph.html and overview.svg in
                 build/<BOARD>
"""

from pathlib import Path

import SCons.Node.FS
import SCons.Node.Python
import SCons.Script
from SCons.Util import hash_signature
from viper.base import console
from viper.base.errors import UserError, nearest
from viper.graph import step_log, why


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env: env.Question(_why), "Why")
    env.AddMethod(lambda env: env.Deed(_graph), "Graph")
    _let_a_question_stand_alone(env)


def _let_a_question_stand_alone(env):
    """`why=flash` and `why flash` both ask about flash, and do not build it."""
    targets = SCons.Script.COMMAND_LINE_TARGETS
    if "why" not in env and "why" not in targets:
        return
    others = [target for target in targets if target != "why"]
    env["WHY"] = [env["why"]] if "why" in env else others or [env["DEFAULT_GOAL"]]
    if targets:
        targets[:] = SCons.Script.BUILD_TARGETS[:] = ["why"]
    else:
        env["QUESTION"] = "why"


def _why(env):
    goals = env["GOALS"]
    roots, deeds = [], []
    for name in env["WHY"]:
        if name in goals:
            roots += goals[name].nodes
            deeds += [name] if goals[name].acts and goals[name].group == "Device" else []
        else:
            roots.append(_step_named(env, name))
    found = _steps(env, roots)
    if found:
        for line in why.lines(found, env["BUILD_DIR"]):
            console.note(line)
    for name in deeds:
        console.note(f"{name} asks the device itself, each time")


def _step_named(env, name):
    """The node of a file that a step makes, by its path or its name."""
    everything = [node for goal in env["GOALS"].values() for node in goal.nodes]
    made = {}
    for step in _steps(env, everything):
        for target in step.targets:
            made |= {target: target, Path(target).name: target}
    if name not in made:
        raise UserError(
            f"why={name}: nothing is called that{nearest(name, [*env['GOALS'], *made])}",
            "./scons -h",
        )
    return env.fs.File(made[name])


def _graph(env):
    from viper.base import atomic_file
    from viper.graph import outline, page

    goals = env["GOALS"]
    found = _steps(env, goals["image"].nodes)
    deeds = [
        page.Deed(name, tuple(str(node) for node in goal.nodes))
        for name, goal in goals.items()
        if goal.acts and goal.group == "Device" and goal.nodes
    ]
    log = step_log.load(_log_file(env))["steps"]
    seconds = {step.name: log.get(step.name, {}).get("seconds", 0.0) for step in found}
    folder = Path(env["BUILD_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    picture = page.svg(page.dot(found, deeds, seconds))
    files = {
        "graph.svg": picture.encode(),
        "graph.html": page.page(env["BOARD"], picture, found, seconds),
        "overview.svg": page.svg(outline.dot(found, deeds)).encode(),
    }
    for name, content in files.items():
        atomic_file.write(folder / name, content)
        console.step("PAGE", f"{folder / name}")


def _log_file(env):
    return Path(env["BUILD_DIR"], "steps.json")


def _steps(env, roots):
    """The steps that lead to some nodes, each after those that it needs (see viper.graph.why)."""
    log = step_log.load(_log_file(env))
    found = {}
    for node in roots:
        _visit(node, log, found)
    return list(found.values())


def _visit(root, log, found):
    """Add the steps below a node to `found`, by their first target; depth first, no recursion."""
    waiting = [(root, False)]
    while waiting:
        node, is_ready = waiting.pop()
        if not _is_step(node) or str(_first(node)) in found:
            continue
        if is_ready:
            step = _described(_first(node), log, found)
            found[step.name] = step
        else:
            waiting.append((node, True))
            waiting += [(child, False) for child in reversed(_children(node))]


def _is_step(node):
    return isinstance(node.disambiguate(), SCons.Node.FS.File) and node.has_explicit_builder()


def _first(node):
    """The node that stands for all that a step makes at once."""
    return _made_with(node)[0].disambiguate()  # an Entry, until SCons has to know


def _made_with(node):
    return node.get_executor().get_all_targets()


def _children(node):
    return node.children() if node.has_builder() else []


def _described(node, log, found):
    children = _children(node)
    files = [child for child in children if isinstance(child, SCons.Node.FS.File)]
    # Of a file that serves many steps, each depends on its own part alone, as a value.
    parts = [child.name for child in children if isinstance(child, SCons.Node.Python.Value)]
    after = dict.fromkeys(str(_first(child)) for child in files if _is_step(child))
    declared = node.get_executor().get_action_list()[0].step
    return why.Step(
        tag=declared.tag,
        targets=tuple(str(each) for each in _made_with(node)),
        sources=(*(str(child) for child in files if not _is_step(child)), *parts),
        after=tuple(after),
        reasons=tuple(_reasons(node, declared, log, found)),
        awaits=tuple(name for name in after if found[name].state != "up to date"),
    )


def _reasons(node, declared, log, found):
    """Why a step would run, whatever the steps before it do."""
    info = node.get_stored_info().binfo
    is_known = getattr(info, "bactsig", None) is not None
    missing = [Path(str(each)).name for each in _made_with(node) if not each.exists()]
    if missing and is_known:
        return why.file_changes(missing, "is gone", "are gone")
    if missing:
        return ["not made yet"]
    if not is_known:
        return ["nobody knows what it was made from"]
    signatures = [*info.bsourcesigs, *info.bdependsigs, *info.bimplicitsigs]
    names = [*info.bsources, *info.bdepends, *info.bimplicit]
    before = dict(zip(map(str, names), signatures, strict=False))
    logged = log["steps"].get(str(node), {})
    changed, new = [], []
    for child in _children(node):
        if isinstance(child, SCons.Node.Python.Value):
            changed += [] if str(child) in before else [child.name]
        elif _is_step(child) and found[str(_first(child))].state != "up to date":
            continue  # what it will be is not known yet
        elif str(child) not in before:
            new.append(str(child))
        elif not child.exists():
            changed.append(str(child))
        elif _differs(child, before[str(child)]):
            old = logged.get("lines", {}).get(str(child), [])
            lines = why.changed_lines(old, step_log.checksums(Path(str(child)))) if old else ""
            changed.append(f"{child}{' changed' + lines if lines else ''}")
    gone = [
        name
        for name, signature in before.items()
        if isinstance(signature, SCons.Node.FS.FileNodeInfo)
        and name not in {str(child) for child in _children(node)}
    ]
    told = [name for name in changed if " changed line" in name]
    others = [name for name in changed if name not in told]
    reasons = told + why.file_changes(others, "changed", "changed")
    reasons += why.file_changes(new, "is new", "are new")
    reasons += why.file_changes(gone, "is gone", "are gone")
    if info.bactsig != hash_signature(node.get_executor().get_contents()):
        reasons += why.input_changes(
            log["inputs"].get(logged.get("inputs")), step_log.flat(declared.inputs)
        )
    return reasons


def _differs(child, before):
    """Whether a file's content is another than what it was; its time says no at once."""
    if child.get_timestamp() == before.timestamp:
        return False
    return child.get_content_hash() != before.csig
