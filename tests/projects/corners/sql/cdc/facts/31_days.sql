-- The SELECT of 31_days on the sources, its models as CTEs. Made by compiling; edit the models instead.
SELECT
  marks.day,
  COUNT(*) AS marks,
  SUM(marks.points) AS points,
  COUNT(DISTINCT pieces.shelf) AS shelves
FROM corners_live."4_marks" AS marks
LEFT JOIN corners_live.pieces AS pieces
  ON pieces.number = marks.piece
WHERE
  marks."mark #" <> 'b'
GROUP BY
  1
