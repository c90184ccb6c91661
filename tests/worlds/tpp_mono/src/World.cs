// The small world of orders: domestic ones with a number, international ones with a GUID.
using System;
using System.Collections.Generic;

namespace TppMono
{
    public enum Standing { Open, Cancelled, Executed }

    public class Order
    {
        public long? Id;
        public Guid? Uid;
        public string Pin;
        public Standing Standing;
        public DateTime ShowsFrom = DateTime.MinValue;   // until then an observer still sees the order open
        public DateTime ReopensAt = DateTime.MaxValue;   // from then on the order is open again
        public int Attempts;                             // instructions that named it so far

        public Standing Now(DateTime now)
        {
            if (Standing == Standing.Cancelled && now >= ReopensAt) return Standing.Open;
            return Standing;
        }

        public Standing Seen(DateTime now)
        {
            if (Standing == Standing.Cancelled && now < ShowsFrom) return Standing.Open;
            return Now(now);
        }
    }

    public enum PinPolicy { Sometimes, Always, Never }

    // Callers hold the lock on the world while they use it.
    public class World
    {
        public readonly string Pin;
        public PinPolicy PinPolicy;
        public readonly HashSet<long> Creators = new HashSet<long> { 55001, 55002, 98765 };

        readonly Dictionary<long, Order> domestic = new Dictionary<long, Order>();
        readonly Dictionary<Guid, Order> international = new Dictionary<Guid, Order>();
        long nextId = 61001;

        public World(string pin)
        {
            Pin = pin;
        }

        // The orders of the page's own samples, for somebody who tries the server by hand.
        public void AddSamples()
        {
            Add(new Order { Id = 12345 }, PinPolicy == PinPolicy.Always);
            Add(new Order { Id = 1234 }, PinPolicy == PinPolicy.Always);
            Add(new Order { Id = 2200, Standing = Standing.Executed }, PinPolicy == PinPolicy.Always);
            Add(new Order { Uid = new Guid("6269c403-5b9f-47dd-b8c3-7ecbef8f686d") }, PinPolicy == PinPolicy.Always);
        }

        // A new order in a named state, or null for a state that this world cannot give.
        public Order Create(string state)
        {
            var order = new Order();
            bool pin = PinPolicy == PinPolicy.Always;
            switch (state)
            {
                case "open-order": return Add(Numbered(order), pin);
                case "open-international-order": return Add(Named(order), pin);
                case "cancelled-order": order.Standing = Standing.Cancelled; return Add(Numbered(order), pin);
                case "cancelled-international-order": order.Standing = Standing.Cancelled; return Add(Named(order), pin);
                case "executed-order": order.Standing = Standing.Executed; return Add(Numbered(order), pin);
                case "pin-order": return PinPolicy == PinPolicy.Never ? null : Add(Numbered(order), true);
                case "pin-international-order": return PinPolicy == PinPolicy.Never ? null : Add(Named(order), true);
                case "no-pin-order": return PinPolicy == PinPolicy.Always ? null : Add(Numbered(order), false);
                default: return null;
            }
        }

        public Order Find(long? id)
        {
            Order order;
            return id.HasValue && domestic.TryGetValue(id.Value, out order) ? order : null;
        }

        public Order Find(Guid? uid)
        {
            Order order;
            return uid.HasValue && international.TryGetValue(uid.Value, out order) ? order : null;
        }

        Order Numbered(Order order)
        {
            order.Id = nextId++;
            return order;
        }

        static Order Named(Order order)
        {
            order.Uid = Guid.NewGuid();
            return order;
        }

        Order Add(Order order, bool pin)
        {
            order.Pin = pin ? Pin : null;
            if (order.Id.HasValue) domestic[order.Id.Value] = order;
            else international[order.Uid.Value] = order;
            return order;
        }
    }
}
