-- The lease's only row, when its table is new.
-- Names: control.
INSERT INTO {{ control | name }}.lease (
  holder,
  taken_at,
  expires_at,
  baseline_run
)
VALUES
  (NULL, NULL, NULL, NULL)
