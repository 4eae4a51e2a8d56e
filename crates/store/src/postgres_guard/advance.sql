-- The rule, `Policy::judge`, for claims of different originators: a row for each that is accepted.
-- $1 to $4: schemes, names, counters and requests; $5: the version that the program knows; $6: how far below the highest
-- counter another may be; $7: whether commits must wait for a standby.
--
-- A request that was accepted is refused like any other with its counter; which of them is a repeat, the second statement tells.
-- The conditions of the SELECT are a fence, evaluated once: a store of another version or policy, or a session that answers
-- before its commits are durable, takes nothing. look.sql has the same. The row of every claim is locked, also of those
-- refused.
INSERT INTO cardroot.memories AS memory (scheme, name, last, accepted, request, counter)
SELECT claim.scheme, claim.name, claim.counter, 1, claim.request, claim.counter
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS claim (scheme, name, counter, request)
WHERE (SELECT version = $5::bigint AND late = $6::bigint FROM cardroot.store WHERE one = 1)
  AND current_setting('synchronous_commit') IN ('on', 'remote_apply')
  AND (NOT $7::boolean OR trim(current_setting('synchronous_standby_names', true)) <> '')
ON CONFLICT (scheme, name) DO UPDATE SET
  previous = memory.last,
  last = greatest(memory.last, excluded.last),
  accepted = CASE
    WHEN excluded.last > memory.last + 63 THEN 1
    WHEN excluded.last > memory.last THEN (memory.accepted << (excluded.last - memory.last)::integer) | 1
    ELSE memory.accepted | (1::bigint << (memory.last - excluded.last)::integer)
  END,
  request = excluded.request,
  counter = excluded.counter
WHERE CASE
  WHEN excluded.last > memory.last THEN true
  WHEN memory.last - excluded.last > $6::bigint THEN false
  ELSE ((memory.accepted >> (memory.last - excluded.last)::integer) & 1) = 0
END
RETURNING memory.scheme, memory.name, memory.previous
