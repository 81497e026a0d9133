import { dirname } from 'node:path';
import { isRemote } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import { configProblems } from '../config/check-config.ts';
import type { Config } from '../config/define.ts';
import { type Problem, throwIfAny } from '../config/problems.ts';
import type { Kind } from '../rule/part.ts';
import type { Ancestor, Rule } from '../rule/rule.ts';
import { mainTarget, type TargetNode } from '../rule/target.ts';
import { checkedOptions, commonProblems } from './check-options.ts';
import type { Graph, GraphInput, GraphOutput, GraphTarget } from './graph.ts';
import type { ReadInputs } from './inputs.ts';
import { freeName, mainOutput, nameClashes, nameNodes, outputNames } from './names.ts';
import { inOrder, type Ordered } from './order.ts';
import { type Claim, outOfCommon, outProblem, sharedFolders, shownOut } from './out-folders.ts';
import { type NamedTarget, namedTargets } from './walk.ts';

export interface GraphRequest {
  readonly config: Config;
  /** Folder of the project. */
  readonly base: string;
  /** Place of the config as a whole. */
  readonly where?: string;
  /** Folder that every `out` must lie in; the project's by default. */
  readonly outRoot?: string;
  /** `file:line:column` of the declaring call, from its stack. */
  locate(stack: string): string | undefined;
  /** Absolute path of the module that declares, from the same stack. */
  moduleOf(stack: string): string | undefined;
  /** Rules that write what a target holds as files, for kinds whose own bytes are not meant for others. */
  readonly publishers: { readonly documents: Rule | undefined };
}

const unplaced = 'the config';
const withoutColumn = (place: string): string => place.replace(/(:\d+):\d+$/, '$1');

const noTargets = (where: string): BuildError =>
  new BuildError('no-targets', {
    message: 'the config has no targets: there is nothing to build',
    where,
    hint: "Name what is to be built, as in defineConfig({ targets: { raw: download({ sources: { 'text/docs': 'data/docs.jsonl' } }) } }); `dsbuild init` writes a config in a folder that has none.",
  });

/** A graph in the making. */
class Builder {
  readonly #request: GraphRequest;
  readonly #problems: Problem[] = [];
  readonly #targets: GraphTarget[] = [];
  readonly #byNode = new Map<TargetNode, GraphTarget>();
  /** Nodes with a problem of their own or upstream: what they would inherit is not known. */
  readonly #doubtful = new Set<TargetNode>();
  readonly #claims: Claim[] = [];
  readonly #names = new Set<string>();

  constructor(request: GraphRequest) {
    this.#request = request;
  }

  build(): Graph {
    const { config } = this.#request;
    const where = withoutColumn(this.#request.where ?? unplaced);
    this.#problems.push(...configProblems(config, where));
    if (typeof config !== 'object' || config === null || typeof config.targets !== 'object' || config.targets === null)
      throwIfAny(this.#problems);
    const { named, problems } = namedTargets(config.targets, where);
    const whereOf = (node: TargetNode): string => this.#where(node);
    this.#problems.push(...problems, ...nameClashes(named, whereOf));
    const ordered = inOrder(named.map(({ target }) => target.node));
    const names = nameNodes(named, ordered);
    this.#refuseCycle(ordered, names);
    for (const name of [...named.map((one) => one.name), ...names.values()]) this.#names.add(name);
    const given = new Set(named.map(({ target }) => target.node));
    for (const node of ordered.nodes) {
      this.#add(node, { name: names.get(node) as string, named: given.has(node), read: ordered.inputs.get(node) as ReadInputs });
    }
    this.#problems.push(...sharedFolders(this.#claims));
    throwIfAny(this.#problems);
    if (named.length === 0) throw noTargets(where);
    return graphOf(this.#targets, this.#outputs(named));
  }

  #where(node: TargetNode): string {
    return withoutColumn(this.#request.locate(node.stack) ?? this.#request.where ?? unplaced);
  }

  #refuseCycle({ cycle }: Ordered, names: ReadonlyMap<TargetNode, string>): void {
    if (!cycle) return;
    const [first] = cycle as [TargetNode];
    const circle = cycle.map((node) => names.get(node) ?? node.rule.name).join(' needs ');
    this.#problems.push({ where: this.#where(first), target: names.get(first) ?? first.rule.name, message: `needs itself: ${circle}` });
    throwIfAny(this.#problems);
  }

  #add(node: TargetNode, { name, named, read }: { name: string; named: boolean; read: ReadInputs }): void {
    const { base: project, config } = this.#request;
    const module = this.#request.moduleOf(node.stack);
    const where = this.#where(node);
    const base = module === undefined ? project : dirname(module);
    const inputs: GraphInput[] = read.uses.map(({ input, key, target }) => ({
      input,
      key,
      from: this.#byNode.get(target.node) as GraphTarget,
      output: target.output,
    }));
    const before = this.#problems.length;
    const note = (problem: { option?: string; message: string }): void => void this.#problems.push({ where, target: name, ...problem });
    read.problems.forEach(note);
    commonProblems(node.common).forEach(note);
    const declared = this.#declaredOut(node, { base, note });
    const out = declared ?? shardsFolder(node, inputs);
    const doubtful = this.#problems.length > before || inputs.some(({ from }) => this.#doubtful.has(from.node));
    const inherited = doubtful ? {} : this.#inherited(node.rule, inputs, out && shownOut(project, out));
    const { values, problems } = checkedOptions(node, { ...settingsFor(node, config), ...inherited });
    // A required option that would have been inherited is not missing; it is not known yet.
    problems.filter(({ message }) => !(doubtful && node.rule.inherit && message === 'is missing')).forEach(note);
    if (doubtful || problems.length > 0) this.#doubtful.add(node);
    const common = config.onBadRecord === undefined ? node.common : { onBadRecord: config.onBadRecord, ...withoutUndefined(node.common) };
    const target: GraphTarget = {
      name,
      node,
      rule: node.rule,
      options: values,
      common,
      inputs,
      where,
      base,
      out,
      named,
      filesOf: undefined,
    };
    this.#place(target);
  }

  #declaredOut(
    { common }: TargetNode,
    { base, note }: { base: string; note(problem: { option: string; message: string }): void },
  ): string | undefined {
    if (typeof common.out !== 'string' || common.out === '') return undefined;
    const { base: project, outRoot = project } = this.#request;
    const message = outProblem(common.out, { base, project, root: outRoot });
    if (message !== undefined) note({ option: 'out', message });
    return outOfCommon(common.out, base);
  }

  /** Options that the config need not give, because other targets or the folder tell them. */
  #inherited(rule: Rule, inputs: readonly GraphInput[], out: string | undefined): Readonly<Record<string, unknown>> {
    return { ...rule.defaultsFor?.(out), ...rule.inherit?.(this.#ancestors(inputs), out) };
  }

  /** Targets upstream, nearest first, each once. */
  #ancestors(inputs: readonly GraphInput[]): Ancestor[] {
    const found = new Set(inputs.map(({ from }) => from));
    for (const target of found) for (const { from } of target.inputs) found.add(from);
    return [...found].map(({ rule, options, node, base }) => ({
      rule: rule.name,
      options,
      out: node.common.out === undefined ? undefined : shownOut(this.#request.base, outOfCommon(node.common.out, base)),
    }));
  }

  /** Takes a target in; documents that are to be published get a target of their own that writes them as files. */
  #place(target: GraphTarget): void {
    const { name, node, where, out } = target;
    const { documents: publisher } = this.#request.publishers;
    const { kind } = mainTarget(node);
    if (out !== undefined) this.#claims.push({ target: name, where, kind, folder: out, shown: shownOut(this.#request.base, out) });
    const parted = kind === 'documents' && out !== undefined && publisher !== undefined;
    const placed = parted ? { ...target, out: undefined } : target;
    this.#byNode.set(node, placed);
    this.#targets.push(placed);
    if (parted) this.#targets.push(this.#filesTarget(placed, publisher, out));
  }

  #filesTarget(documents: GraphTarget, rule: Rule, out: string): GraphTarget {
    const [input] = Object.keys(rule.inputs);
    const main = mainTarget(documents.node);
    const { node, common } = documents;
    const files: TargetNode = { rule, inputs: { [input as string]: main }, options: {}, common: node.common, stack: node.stack };
    const inputs = [{ input: input as string, key: '', from: documents, output: main.output }];
    const inherited = this.#problems.length > 0 ? {} : this.#inherited(rule, inputs, shownOut(this.#request.base, out));
    const { values: options } = checkedOptions(files, inherited);
    const { where, base } = documents;
    const name = freeName(`${documents.name}/files`, this.#names);
    return { name, node: files, rule, options, common, inputs, where, base, out, named: false, filesOf: documents.name };
  }

  #outputs(named: readonly NamedTarget[]): Map<string, GraphOutput> {
    const outputs = new Map<string, GraphOutput>();
    for (const { name, target } of named)
      outputs.set(name, { target: this.#byNode.get(target.node) as GraphTarget, output: target.output });
    for (const target of this.#targets) {
      if (!outputs.has(target.name)) outputs.set(target.name, { target, output: mainOutput(target.node) });
      for (const output of outputNames(target.node).slice(1)) outputs.set(`${target.name}.${output}`, { target, output });
    }
    return outputs;
  }
}

const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

/** What the config says of chunking is the default of a rule's option of that name, and in the keys of no other target. */
function settingsFor({ rule }: TargetNode, { chunking }: Config): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(chunking ?? {}).filter(([name]) => Object.hasOwn(rule.options, name)));
}

const kindOf = (node: TargetNode): Kind => mainTarget(node).kind;

/** An index lies beside its shards unless it says otherwise. */
function shardsFolder(node: TargetNode, inputs: readonly GraphInput[]): string | undefined {
  if (kindOf(node) !== 'index') return undefined;
  return inputs.find(({ from }) => kindOf(from.node) === 'shards')?.from.out;
}

const graphOf = (targets: readonly GraphTarget[], outputs: ReadonlyMap<string, GraphOutput>): Graph => ({
  targets,
  folders: [...new Set(targets.flatMap(({ out }) => (out === undefined || isRemote(out) ? [] : [out])))],
  outputs,
  get: (name) => outputs.get(name)?.target,
});

/**
 * The graph of a config: every target named, checked, placed and in order.
 * @throws {BuildError} `bad-config` with all problems of the config at once.
 */
export function buildGraph(request: GraphRequest): Graph {
  return new Builder(request).build();
}
