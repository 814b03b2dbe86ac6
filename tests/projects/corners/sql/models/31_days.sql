{{ config(materialized='incremental', unique_key='day') }}

SELECT
    marks.day,
    COUNT(*) AS marks,
    SUM(marks.points) AS points,
    COUNT(DISTINCT pieces.shelf) AS shelves
FROM {{ source('live', '4_marks') }} AS marks
LEFT JOIN {{ source('live', 'pieces') }} AS pieces
    ON pieces.number = marks.piece
WHERE marks."mark #" <> 'b'
GROUP BY 1
