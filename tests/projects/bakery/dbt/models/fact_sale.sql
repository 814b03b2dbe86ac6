{{ config(
    materialized='incremental',
    unique_key=['channel', 'id', 'part'],
    incremental_strategy='delete+insert',
    meta={'cdc': {'anchor': 'id'}},
    pre_hook="SELECT 1",
    post_hook=["ANALYZE {{ this }}"],
) }}

SELECT
    {{ baking.text_key(['sales.channel', 'sales.id', 'sales.part']) }} AS sale_key,
    sales.channel,
    sales.id,
    sales.part,
    products.name AS product,
    sales.amount,
    CASE WHEN weekend_days.day_of_week IS NULL THEN 0 ELSE 1 END AS on_weekend
FROM {{ ref('stg_sales') }} AS sales
LEFT JOIN {{ ref('products') }} AS products ON products.code = sales.product_code
LEFT JOIN {{ ref('baking', 'weekend_days') }} AS weekend_days
    ON weekend_days.day_of_week = DATE_PART(dow, sales.ordered_on)
{% if is_incremental() %}
WHERE sales.ordered_on > (SELECT MAX(ordered_on) FROM {{ this }})
{% endif %}
