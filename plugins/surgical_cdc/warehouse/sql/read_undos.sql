-- Runs that have taken back another, with its key. Grain: a run.
-- Names: control. No parameters.
SELECT DISTINCT
  run_key,
  undoes
FROM {{ control | name }}.runs
WHERE
  NOT undoes IS NULL
