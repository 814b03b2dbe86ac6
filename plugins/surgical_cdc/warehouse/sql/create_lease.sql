-- The lease's only row, when its table is new.
-- Names: control. Parameters: version of the control tables.
INSERT INTO {{ control | name }}.lease (
  version
)
VALUES
  (%s::INTEGER)
