SELECT 0 AS day_of_week
UNION ALL
SELECT 6 AS day_of_week
