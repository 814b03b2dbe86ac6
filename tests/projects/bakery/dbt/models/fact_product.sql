{{ config(unique_key='product_code') }}

SELECT
    sales.product_code,
    MAX(products.name) AS product,
    COUNT(*) AS sales,
    SUM(sales.amount) AS turnover
FROM {{ ref('stg_sales') }} AS sales
INNER JOIN {{ ref('products') }} AS products ON products.code = sales.product_code
WHERE sales.status = {{ env_var('BAKERY_STATUS', '1') }}
GROUP BY sales.product_code
