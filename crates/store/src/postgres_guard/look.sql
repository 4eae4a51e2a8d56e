-- What is remembered of originators that were refused.
-- $1, $2: schemes and names; $3 to $5: the fence of the first statement, $5 to $7 there. Behind it a claim is not refused
-- but not judged.
--
-- It may see more than the first statement did, and says the same: a counter that was refused once is refused for ever, and a
-- repeat was accepted before the first statement, which has waited for that to be durable when it locked the row.
SELECT memory.scheme, memory.name, memory.last, memory.accepted, memory.request, memory.counter
FROM unnest($1::smallint[], $2::bigint[]) AS claim (scheme, name)
JOIN cardroot.memories AS memory ON memory.scheme = claim.scheme AND memory.name = claim.name
WHERE (SELECT version = $3::bigint AND late = $4::bigint FROM cardroot.store WHERE one = 1)
  AND current_setting('synchronous_commit') IN ('on', 'remote_apply')
  AND (NOT $5::boolean OR trim(current_setting('synchronous_standby_names', true)) <> '')
ORDER BY memory.scheme, memory.name
