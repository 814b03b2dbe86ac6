{{ config(materialized='view') }}

SELECT 'shop' AS channel, id, 0 AS part, product_code, amount, ordered_on, status
FROM {{ source('shop', 'orders') }}
UNION ALL
SELECT 'till' AS channel, till_no AS id, receipt_no AS part, product_code, amount, ordered_on, status
FROM {{ source('till', 'orders') }}
