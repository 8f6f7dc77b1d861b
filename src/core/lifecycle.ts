// The states of a connection and the only ways between them. Any state may go to Closing; nothing goes back.

/** Provisioning: waiting for a backend. Dialing: its answer to the upgrade is awaited. Open: after the 101. */
export type State = 'Provisioning' | 'Dialing' | 'Open' | 'Closing' | 'Closed';

/** started: the backend's port is open. opened: it answered 101. ended: there is a reason to end. finished: both sockets are closed. */
export type Event = 'started' | 'opened' | 'ended' | 'finished';

export const STATES: readonly State[] = ['Provisioning', 'Dialing', 'Open', 'Closing', 'Closed'];
export const EVENTS: readonly Event[] = ['started', 'opened', 'ended', 'finished'];

const TABLE: Readonly<Record<State, Partial<Record<Event, State>>>> = {
  Provisioning: { started: 'Dialing', ended: 'Closing' },
  Dialing: { opened: 'Open', ended: 'Closing' },
  Open: { ended: 'Closing' },
  Closing: { finished: 'Closed' },
  Closed: {},
};

/** The state after an event. An event that comes too late, or too early, leaves the state as it is. */
export function next(state: State, event: Event): State {
  return TABLE[state][event] ?? state;
}
