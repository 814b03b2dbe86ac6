{{ config(materialized='incremental', unique_key=['shelf', 'box']) }}

SELECT
    pieces.shelf,
    pieces.box,
    pieces."1st weight (kg)",
    COUNT(marks."mark #") AS marks,
    SUM(marks.points) AS points,
    MAX(baseline.amount) AS amount
FROM {{ source('live', 'pieces') }} AS pieces
LEFT JOIN {{ source('live', '4_marks') }} AS marks
    ON marks.day = pieces.day
    AND marks.piece = pieces.number
LEFT JOIN {{ source('live', 'baseline') }} AS baseline
    ON baseline.id = pieces.number
GROUP BY 1, 2, 3
