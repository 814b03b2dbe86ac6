SELECT id, COUNT(*) AS versions
FROM {{ ref('customers_snapshot') }}
GROUP BY id
