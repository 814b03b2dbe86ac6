{%- set since = modules.datetime.date(2026, 1, 1) + modules.datetime.timedelta(days=30) -%}
SELECT
    customers.id,
    customers.name,
    COUNT(orders.id) AS recent_orders
FROM {{ source('shop', 'customers') }} AS customers
LEFT JOIN {{ source('shop', 'orders') }} AS orders
    ON orders.customer_id = customers.id AND orders.ordered_on >= '{{ since.isoformat() }}'
GROUP BY customers.id, customers.name
