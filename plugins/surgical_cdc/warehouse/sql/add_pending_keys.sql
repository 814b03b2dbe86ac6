-- Adds the keys that earlier runs have updated without a sync: the fact is ahead of the baseline there.
-- Names: pending.
INSERT INTO scdc_affected_keys (
  anchor
)
SELECT DISTINCT
  pending.anchor
FROM {{ pending | name }} AS pending
WHERE
  NOT EXISTS (
    SELECT
      1
    FROM scdc_affected_keys
    WHERE
      scdc_affected_keys.anchor = pending.anchor
  )
