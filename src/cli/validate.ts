// `socketpod validate`: the API server's verdict on files, before there is an API server.
import { KIND } from '../api/names.ts';
import { validate as problemsOf } from '../api/validate.ts';
import { isFunction, readDocuments } from './files.ts';

/** Prints a line for each problem and a last one with the count. @returns the exit code: 1 when anything is wrong */
export async function validate(files: readonly string[], out: { write(text: string): unknown }): Promise<number> {
  const documents = await readDocuments(files);
  const functions = documents.filter(isFunction);
  let bad = 0;
  for (const { file, line, value } of functions) {
    const problems = problemsOf(value);
    if (problems.length > 0) bad++;
    for (const { path, message } of problems) out.write(`${file}:${line}: ${path}: ${message}\n`);
  }
  const others = documents.length - functions.length;
  const ignored = others > 0 ? `; ${others} of other kinds not judged` : '';
  if (functions.length === 0) {
    out.write(`no ${KIND} in ${files.join(', ')}${ignored}\n`);
    return 1;
  }
  out.write(`${functions.length - bad} good, ${bad} bad${ignored}\n`);
  return bad > 0 ? 1 : 0;
}
