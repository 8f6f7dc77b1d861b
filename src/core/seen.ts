// What a client can tell of an end from what it saw: a close frame, an HTTP answer, or nothing. The other direction of
// outcome.ts; where several reasons look alike from outside, all are named.
import { closeText, OUTCOMES, type Outcome, outcome, type Reason, reasonOfAnswer, reasonOfClose } from './outcome.ts';

/** How a connection ended, as its client saw it. */
export type Seen =
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** `functionCode`: the header X-Socketpod-Status, undefined where there is none. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly functionCode: string | undefined }
  | { readonly kind: 'lost' };

/** What it means. */
export interface Meaning {
  /** Undefined where only the platform's log knows it. */
  readonly functionCode: number | undefined;
  readonly meaning: string;
  readonly success: boolean;
}

const ROWS = Object.entries(OUTCOMES) as readonly (readonly [Reason, Outcome])[];
/** The close codes that the platform itself sends (contract part 2). */
const CLOSE_CODES_OF_OURS: readonly number[] = [1001, 1002, 1008, 1009, 1011, 1012, 1013];
/** What the platform adds to its words when it refuses with a close frame (`refuseWith: CloseFrame`). */
const REQUEST_ID = /; id .*$/;
/** RFC 6455, section 7.1.5: what an API tells where no close frame came. */
const NO_FRAME = 1006;

/** The function code and meaning of an end. */
export function meaningOf(seen: Seen): Meaning {
  if (seen.kind === 'refused') return ofRefusal(seen.httpStatus, seen.functionCode);
  if (seen.kind === 'lost' || seen.code === NO_FRAME) {
    return { functionCode: undefined, meaning: 'no close frame: the network failed, or the proxy ended abruptly', success: false };
  }
  // Else the platform passed it on: the function's own, or the answer to the client's, which has the same code.
  return ofText(seen.code, seen.reason) ?? ofReasons([reasonOfClose('function', seen.code)]);
}

/** A close frame of the platform: its reason begins with the function code. */
function ofText(closeCode: number, text: string): Meaning | undefined {
  if (!CLOSE_CODES_OF_OURS.includes(closeCode)) return undefined;
  const words = text.replace(REQUEST_ID, '');
  const same = ROWS.filter(([reason, row]) => row.code !== 200 && closeText(reason) === words).map(([reason]) => reason);
  return same.length === 0 ? undefined : ofReasons(same);
}

function ofRefusal(httpStatus: number, functionCode: string | undefined): Meaning {
  const answer = reasonOfAnswer(httpStatus);
  if (functionCode === undefined) {
    return { functionCode: undefined, meaning: 'no X-Socketpod-Status: answered by something else than Socketpod', success: false };
  }
  const code = /^[0-9]{3}$/.test(functionCode) ? Number(functionCode) : undefined;
  const same = ROWS.filter(([reason, row]) => row.code === code && (row.refusal?.status === httpStatus || reason === answer)).map(
    ([reason]) => reason,
  );
  if (same.length > 0) return ofReasons(same);
  return { functionCode: code, meaning: `unknown here: X-Socketpod-Status ${functionCode} with HTTP ${httpStatus}`, success: code === 200 };
}

/** Reasons that look alike; they have one function code. */
function ofReasons(reasons: readonly Reason[]): Meaning {
  const [first = 'internal_error'] = reasons;
  const { code } = outcome(first);
  return { functionCode: code, meaning: reasons.map((reason) => outcome(reason).cause).join(', or '), success: code === 200 };
}
