-- The SELECT of pieces_marked on the sources, its models as CTEs. Made by compiling; edit the models instead.
SELECT
  pieces.shelf,
  pieces.box,
  pieces."1st weight (kg)",
  COUNT(marks."mark #") AS marks,
  SUM(marks.points) AS points,
  MAX(baseline.amount) AS amount
FROM corners_live.pieces AS pieces
LEFT JOIN corners_live."4_marks" AS marks
  ON marks.day = pieces.day AND marks.piece = pieces.number
LEFT JOIN corners_live.baseline AS baseline
  ON baseline.id = pieces.number
GROUP BY
  1,
  2,
  3
